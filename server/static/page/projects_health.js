/** The newest projects on the dashboard: their health, their columns, their failures. */
import { html } from './preact.js';
import { addressOfBoard } from './route.js';
import { TEXTS } from './texts.js';

const { dashboard: WORDS } = TEXTS;
const COLUMNS = /** @type {const} */ (['backlog', 'inProgress', 'review', 'done']);

/** @param {{overview: any}} props */
export function Projects({ overview }) {
  const shown = overview.projectSnapshots;
  const all = overview.metrics.byKey['projects.total'].total;
  return html`
    <section aria-labelledby="health-heading" id="projects">
      <div class="tile-head"><h3 id="health-heading">${WORDS.health}</h3><p class="quiet">${WORDS.healthText(shown.length, all)}</p></div>
      <ul class="tiles three">${shown.map((/** @type {any} */ one) => html`<${Project} key=${one.projectId} project=${one} />`)}</ul>
    </section>`;
}

/** @param {{project: any}} props */
function Project({ project }) {
  const { health, columnCardCounts: counts, totalCards } = project;
  return html`
    <li class="tile project" data-project-id=${project.projectId}>
      <div class="tile-head"><h4><a href=${addressOfBoard(project.projectId)}>${project.name}</a></h4><span class="badge" data-is-at-risk=${health.isAtRisk}>${health.isAtRisk ? WORDS.atRisk : project.status}</span></div>
      <p class="quiet">${health.notes}</p>
      <div class="bar" aria-hidden="true">
        ${totalCards > 0 && COLUMNS.map((key) => html`<i class=${`swatch ${key}`} style=${{ flexGrow: counts[key] }}></i>`)}
      </div>
      <dl class="counts">${COLUMNS.map((key) => html`<div><dt><i class=${`swatch ${key}`}></i>${WORDS.columns[key]}</dt><dd>${counts[key]}</dd></div>`)}</dl>
      <p class="quiet">${WORDS.failures(project.failedAttemptsInRange, project.attemptsInRange)}</p>
    </li>`;
}
