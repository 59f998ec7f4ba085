/**
 * The list of boards, live: the dashboard's stream tells that there is another project, or another name. A reader who may not see
 * the dashboard has a list that is asked for again from time to time.
 */
import { Dashboard } from '../boardcast.js';
import { listBoards } from './rest.js';
import { computed, effect, signal } from './preact.js';
import { attempt, isSignedIn, may, session } from './visitor.js';

const AGAIN_MS = 15_000;

/** null = not known yet. */
export const boards = signal(/** @type {import('./rest.js').Project[] | null} */ (null));
/** The newest overview of the dashboard, null if there is none. */
export const overview = signal(/** @type {any} */ (null));
export const dashboardStatus = signal(/** @type {import('../boardcast.js').Status} */ ({ status: 'connecting' }));

const mayFollow = computed(() => may('dashboard', null));

export const loadBoards = ({ isRepeated = false } = {}) =>
  attempt(async () => {
    const found = await listBoards();
    if (session.value !== null) boards.value = found;
  }, { isRepeated });

/** Begin when somebody signs in, and end when nobody is signed in. */
export function followBoards() {
  return effect(() => {
    if (!isSignedIn.value) {
      boards.value = null;
      return undefined;
    }
    loadBoards();
    const timer = setInterval(() => document.visibilityState === 'visible' && loadBoards({ isRepeated: true }), AGAIN_MS);
    const close = mayFollow.value ? followDashboard() : () => {};
    return () => {
      clearInterval(timer);
      close();
    };
  });
}

function followDashboard() {
  const dashboard = new Dashboard();
  let known = '';
  dashboard.on('status', (status) => {
    dashboardStatus.value = status;
  });
  dashboard.on('overview', (/** @type {any} */ value) => {
    overview.value = value;
    const names = value.projectSnapshots.map((/** @type {any} */ one) => [one.projectId, one.name]);
    const fingerprint = JSON.stringify([value.metrics.byKey['projects.total'].total, names]);
    if (known !== '' && known !== fingerprint) loadBoards();
    known = fingerprint;
  });
  return () => {
    dashboard.close();
    overview.value = null;
  };
}
