/** Work that events ask for more often than it is worth doing. */

/** Works at most once in so long, however often it is asked to: soon after the first time. */
export function atMostEvery(pauseMs: number, work: () => void): () => void {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    setTimeout(() => {
      isAsked = false;
      work();
    }, pauseMs);
  };
}

/** Works once nobody has asked for a while. */
export function afterQuiet(quietMs: number, work: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => void work().catch(() => {}), quietMs);
  };
}
