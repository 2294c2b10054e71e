/* Long jobs in slices, between which the browser paints and listens. */

const SLICE = 12; // milliseconds

/* Run a generator to its end. onPause(value) is called with what it yielded last, before each pause. A job that is
 * shorter than a slice ends before this returns. */
export async function inSlices(job, onPause) {
  for (;;) {
    const end = performance.now() + SLICE;
    let step = job.next();
    while (!step.done && performance.now() < end) step = job.next();
    if (step.done) return;
    onPause(step.value);
    await new Promise((resolve) => setTimeout(resolve));
  }
}
