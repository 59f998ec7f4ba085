/* The chosen theme, before anything is drawn: no module, because a module would come a moment too late. */
try {
  const theme = localStorage.getItem('boardcast:theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // No storage: the theme of the system holds.
}
