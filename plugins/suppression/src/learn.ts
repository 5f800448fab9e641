// What puts recipients on the list by itself: final refusals that are about the recipient, reports that say so later, and
// complaints. A bounce stands for all streams of the account, since the mailbox is gone for all of them; a complaint only for
// the stream that it was about.
import type { Clock, DsnDone, NewSuppression, RetireInput, Storage } from '@mox/plugin-sdk'
import { formatAddress, type Path } from '@mox/plugin-sdk/mail'
import { judge, type Refusal } from './judge.ts'
import type { SuppressionList } from './list.ts'
import type { Options } from './options.ts'
import { FAILURES_IN_A_ROW, type Streaks } from './streaks.ts'

const DAY_MS = 86_400_000

export interface LearnDeps {
  readonly storage: Storage
  readonly clock: Clock
  readonly list: SuppressionList
  readonly streaks: Streaks
  readonly expireDays: Options['expireDays']
  readonly added: (cause: string) => void
}

/** A recipient that something is said about. */
interface Subject {
  readonly id: number
  readonly account: string
  readonly stream?: string
  readonly recipient: Path
}

export class Learner {
  readonly #deps: LearnDeps

  constructor(deps: LearnDeps) {
    this.#deps = deps
  }

  /** onRetire.tx. */
  async retired({ retired }: RetireInput): Promise<void> {
    // Mail from outside has no account: its refusals are the business of whoever sent it.
    if (retired.account === '') return
    if (retired.status === 'delivered') return await this.#delivered(retired)
    const last = retired.results.at(-1)
    if (retired.status === 'failed' && last !== undefined) await this.#refused(retired, last, 'bounce')
  }

  /** onDSN.done. */
  async reported({ queueId, account, event }: DsnDone): Promise<void> {
    const { storage } = this.#deps
    const subject = (await storage.history.get(queueId)) ?? (await storage.queue.get(queueId))
    if (subject === undefined || account === '' || subject.account !== account) return
    await storage.write(async () => {
      if (event.action === 'delivered') await this.#delivered(subject)
      else if (event.action === 'complained') await this.#complained(subject, event.text)
      else if (event.action === 'failed') await this.#refused(subject, event, 'dsn')
    })
  }

  async #delivered({ account, recipient }: Subject): Promise<void> {
    await this.#deps.streaks.delivered(account, this.#deps.list.listedOf(recipient).base)
  }

  async #complained(subject: Subject, text: string): Promise<void> {
    await this.#add(subject, this.#deps.expireDays.complaint, {
      ...{ stream: subject.stream ?? '', cause: 'complaint' },
      reason: `the recipient called a message spam${text === '' ? '' : `: ${text}`}`,
    })
  }

  async #refused(subject: Subject, refusal: Refusal, cause: 'bounce' | 'dsn'): Promise<void> {
    const { clock, list, streaks, expireDays } = this.#deps
    const judgement = judge(refusal)
    if (judgement === 'none') return
    const { code, enhanced, text } = refusal
    const said = [code, enhanced, text].filter(part => part !== '').join(' ')
    const reply = { stream: '', cause, code, enhanced } as const
    if (judgement === 'immediate') return await this.#add(subject, expireDays[cause], { ...reply, reason: said })
    const { base } = list.listedOf(subject.recipient)
    const failures = await streaks.failed(subject.account, base, subject.id, clock.now())
    if (failures < FAILURES_IN_A_ROW) return
    await this.#add(subject, expireDays.repeated, {
      ...reply,
      reason: `${failures} failures in a row, the last: ${said}`,
    })
  }

  async #add(
    { id, account, recipient }: Subject,
    days: number,
    entry: Pick<NewSuppression, 'stream' | 'cause' | 'reason' | 'code' | 'enhanced'>,
  ): Promise<void> {
    const { clock, list, added } = this.#deps
    const made = await list.add(
      {
        ...{ account, address: formatAddress(recipient), queueId: id },
        ...entry,
        ...(days === 0 ? {} : { expiresAt: clock.now() + days * DAY_MS }),
      },
      entry.cause === 'bounce' ? 'queue' : 'dsn',
    )
    if (made !== undefined) added(entry.cause)
  }
}
