// What a server answered, as lines: "550-5.1.1 no", "550 5.1.1 such user".
import type { Attempt } from '@mox/plugin-sdk'

/** Empty when there was no SMTP reply. */
export function replyLines({ code, enhanced, text }: Attempt): string[] {
  if (code === 0) return []
  const lines = text.split('\n')
  return lines.map((line, index) => {
    const mark = index < lines.length - 1 ? '-' : ' '
    const status = enhanced === '' || line.startsWith(enhanced) ? '' : `${enhanced} `
    return `${code}${mark}${status}${line}`.trimEnd()
  })
}

/** Whether the attempt ended at another server: a delivery on this machine and a decision have no stage. */
export function wentOut(attempt: Attempt): boolean {
  return attempt.stage !== undefined
}

/** Whether it is our own decision that ended the attempt, before another server was asked for anything. */
export function decidedHere({ stage }: Attempt): boolean {
  return stage === 'dns' || stage === 'policy'
}
