/** Asks the server again and again, as long as somebody looks at the page. */
import { useEffect, useSignal } from './preact.js';
import { attempt } from './visitor.js';

/**
 * The newest answer as a signal, null before the first one.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {number} pauseMs between an answer and the next question
 */
export function usePolled(ask, pauseMs) {
  const found = useSignal(/** @type {T | null} */ (null));
  useEffect(() => {
    let timer = 0;
    let isOver = false;
    const look = async () => {
      if (document.visibilityState === 'visible') {
        await attempt(async () => {
          found.value = await ask();
        }, { isRepeated: true });
      }
      if (!isOver) timer = setTimeout(look, pauseMs);
    };
    look();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, []);
  return found;
}
