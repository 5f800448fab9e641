// What must be done before the page goes away, is loaded anew or logs out: unsaved things are saved.

type Work = (keepalive: boolean) => Promise<unknown>
const works = new Set<Work>()

/** `keepalive`: the page is going, so that only requests that outlive it get through. */
export function onLeaving(work: Work): void {
  works.add(work)
}

/** Does it all; what fails is left. */
export async function leave(keepalive: boolean): Promise<void> {
  await Promise.allSettled([...works].map(work => work(keepalive)))
}

export function startLeaving(): void {
  addEventListener('pagehide', () => void leave(true))
}
