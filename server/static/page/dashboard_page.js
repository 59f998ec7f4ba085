/** The page at `/dashboard`: figures, charts, the inbox, and the health of the projects, live. */
import { Chart } from './chart.js';
import { DashboardModel } from './dashboard_model.js';
import { Inbox, Recent, Working } from './dashboard_lists.js';
import { Projects } from './projects_health.js';
import { html, useEffect, useMemo } from './preact.js';
import { TEXTS } from './texts.js';
import { since } from './time.js';
import { may } from './visitor.js';

const { dashboard: WORDS } = TEXTS;
/** Bars of the chart of ended attempts. */
const BARS = 24;

export function DashboardPage() {
  useEffect(() => {
    document.title = `${WORDS.title} · ${TEXTS.name}`;
  }, []);
  if (may('dashboard', null)) return html`<${Overview} />`;
  return html`<main id="content" class="blank" tabindex="-1"><h2>${WORDS.forbidden}</h2><p>${WORDS.forbiddenText}</p></main>`;
}

function Overview() {
  const model = useMemo(() => new DashboardModel(), []);
  useEffect(() => model.follow(), [model]);
  const overview = model.overview.value;
  return html`
    <main id="content" class="dashboard" tabindex="-1" aria-busy=${overview === null}>
      <div class="dashboard-head"><h2>${WORDS.title}</h2><${Ranges} model=${model} /></div>
      ${overview === null ? html`<div class="skeletons" aria-hidden="true"><i></i><i></i><i></i></div>` : html`<${Content} overview=${overview} model=${model} />`}
    </main>`;
}

/** @param {{model: DashboardModel}} props */
function Ranges({ model }) {
  return html`
    <div class="tabs" id="ranges" role="group" aria-label=${WORDS.range}>
      ${Object.entries(WORDS.ranges).map(([range, text]) => html`
        <button type="button" data-range=${range} aria-pressed=${model.range.value === range} onClick=${() => (model.range.value = /** @type {any} */ (range))}>${text}</button>`)}
    </div>`;
}

/** @param {{overview: any, model: DashboardModel}} props */
function Content({ overview, model }) {
  const ended = useMemo(() => barsOf(overview.recentAttemptActivity), [overview]);
  return html`
    <${Figures} overview=${overview} />
    <div class="tiles two">
      <${Chart} title=${WORDS.live} text=${WORDS.liveText} data=${model.samples.value}
        series=${[{ label: WORDS.active, color: 'busy' }, { label: WORDS.open, color: 'accent' }]} />
      <${Chart} title=${WORDS.ended} text=${WORDS.endedText(overview.recentAttemptActivity.length)} data=${ended}
        series=${[{ label: WORDS.notSucceeded, color: 'bad', isBar: true }, { label: WORDS.succeeded, color: 'good', isBar: true }]} />
    </div>
    <div class="tiles two"><${Inbox} items=${overview.inboxItems} /><${Working} attempts=${overview.activeAttempts} /></div>
    <${Projects} overview=${overview} />
    <div class="tiles two"><${Agents} agents=${overview.agentStats} /><${Recent} attempts=${overview.recentAttemptActivity} /></div>`;
}

/** @param {{overview: any}} props */
function Figures({ overview }) {
  const { metrics } = overview;
  const figures = [
    ['active', WORDS.active, metrics.activeAttempts, ''],
    ['open', WORDS.open, metrics.byKey['cards.open'].total, ''],
    ['attempts', WORDS.attempts, metrics.attemptsInRange, ''],
    ['success', WORDS.success, metrics.attemptsInRange === 0 ? '–' : `${Math.round(metrics.successRateInRange * 100)} %`, ''],
    ['review', WORDS.review, metrics.reviewItemsCount, ''],
    ['projects', WORDS.projects, metrics.projectsWithActivity, WORDS.ofProjects(metrics.byKey['projects.total'].total)],
  ];
  return html`
    <dl class="tiles figures" id="figures">
      ${figures.map(([key, name, value, more]) => html`
        <div class="tile" data-figure=${key}><dt>${name}</dt><dd>${typeof value === 'number' ? value.toLocaleString() : value} ${more && html`<small>${more}</small>`}</dd></div>`)}
    </dl>`;
}

/** @param {{agents: any[]}} props */
function Agents({ agents }) {
  return html`
    <section class="tile" aria-labelledby="agents-heading">
      <h3 id="agents-heading">${WORDS.agents}</h3>
      <div class="scroll" tabindex="0" role="group" aria-labelledby="agents-heading"><table id="agents">
        <thead><tr><th scope="col">${WORDS.agent}</th><th scope="col">${WORDS.agentAttempts}</th><th scope="col">${WORDS.success}</th><th scope="col">${WORDS.lastActive}</th></tr></thead>
        <tbody>${agents.map((one) => html`
          <tr key=${one.agentId}>
            <th scope="row">${one.agentName}</th>
            <td>${one.attemptsInRange.toLocaleString()}</td>
            <td>${one.attemptsInRange === 0 ? '–' : html`<meter min="0" max="1" value=${one.successRateInRange} aria-label=${WORDS.success}></meter> ${Math.round(one.successRateInRange * 100)} %`}</td>
            <td>${one.lastActiveAt ? since(one.lastActiveAt) : WORDS.never}</td>
          </tr>`)}
        </tbody>
      </table></div>
    </section>`;
}

/**
 * Times, all ended attempts and those that succeeded, which are drawn in front of the others.
 * @param {{occurredAt: string, status: string}[]} attempts newest first
 */
function barsOf(attempts) {
  const to = Date.now() / 1000;
  const from = attempts.length === 0 ? to - 3600 : Date.parse(/** @type {any} */ (attempts.at(-1)).occurredAt) / 1000;
  const width = Math.max((to - from) / BARS, 1);
  const times = Array.from({ length: BARS + 1 }, (_, index) => from + index * width);
  const [all, succeeded] = [times.map(() => 0), times.map(() => 0)];
  for (const { occurredAt, status } of attempts) {
    const index = Math.min(BARS, Math.max(0, Math.floor((Date.parse(occurredAt) / 1000 - from) / width)));
    all[index] = (all[index] ?? 0) + 1;
    if (status === 'succeeded') succeeded[index] = (succeeded[index] ?? 0) + 1;
  }
  return [times, all, succeeded];
}
