// How much of a card is in the window.

const MOST_OF_IT = 0.6;
const STEPS = [0, 0.15, 0.3, 0.45, MOST_OF_IT];

/** Calls `tell(isSeen)` at first and with each change: whether most of `section` is seen, or fills the window. */
export function watchMost(section, tell) {
  let last = null;
  new IntersectionObserver((entries) => {
    const { intersectionRect, boundingClientRect, rootBounds } = entries.at(-1);
    const whole = Math.min(boundingClientRect.height, rootBounds?.height ?? Infinity);
    const isSeen = intersectionRect.height > 0 && intersectionRect.height >= MOST_OF_IT * whole;
    if (isSeen !== last) tell(isSeen);
    last = isSeen;
  }, { threshold: STEPS }).observe(section);
}
