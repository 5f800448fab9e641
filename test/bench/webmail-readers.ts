// Opens event streams and reads them until it is killed; a process of its own, so that its memory does not count.
import { request } from 'node:http'

export interface ReadersJob {
  /** One for each stream. */
  readonly urls: readonly string[]
}

process.once('message', ({ urls }: ReadersJob) => {
  const opened = urls.map(async url => {
    const sent = request(url, { method: 'POST', headers: { 'accept-encoding': 'gzip' } })
    sent.end()
    await new Promise<void>((resolve, reject) => {
      sent.once('error', reject)
      sent.once('response', response => response.once('data', () => resolve()).resume())
    })
  })
  void Promise.all(opened).then(() => process.send?.({}))
})
