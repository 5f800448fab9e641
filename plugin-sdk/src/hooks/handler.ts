// Every hook with its input and what a handler may return, and the declaration of a handler: order, deadline, failure.
// How the answers are combined is data in core's hook table.
import type { Facts, FactToken } from '../define/fact.ts'
import type { Log } from '../services/base.ts'
import type { AccountRemoveInput } from './accounts.ts'
import type { AttemptInput, DeliverInput, DeliverVerdict, QueueInput, QueueVerdict, RetireInput } from './deliver.ts'
import type {
  DsnComposeInput,
  DsnComposeVerdict,
  DsnDone,
  DsnMatchInput,
  DsnMatchVerdict,
  ReportDueInput,
  ReportDueVerdict,
  ReportReceivedInput,
  ReportReceivedVerdict,
  WebhookComposeInput,
  WebhookComposeVerdict,
  WebhookSendInput,
  WebhookSendVerdict,
} from './notify.ts'
import type {
  ConnectVerdict,
  DataVerdict,
  HeadVerdict,
  ReceiveConnect,
  ReceiveData,
  ReceiveDone,
  ReceiveHead,
  ReceiveMail,
  ReceiveRcpt,
} from './receive.ts'

/** Hook name → what the handler gets and may return. `void` (undefined) always means pass. */
export interface HookTypes {
  'onReceive.connect': [ReceiveConnect, ConnectVerdict]
  'onReceive.mail': [ReceiveMail, ConnectVerdict]
  'onReceive.rcpt': [ReceiveRcpt, ConnectVerdict]
  'onReceive.data': [ReceiveData, DataVerdict]
  'onReceive.head': [ReceiveHead, HeadVerdict]
  'onReceive.done': [ReceiveDone, never]
  onQueue: [QueueInput, QueueVerdict]
  beforeDeliver: [DeliverInput, DeliverVerdict]
  onAttempt: [AttemptInput, never]
  'onDSN.compose': [DsnComposeInput, DsnComposeVerdict]
  'onDSN.match': [DsnMatchInput, DsnMatchVerdict]
  'onDSN.done': [DsnDone, never]
  'onRetire.tx': [RetireInput, never]
  'onRetire.done': [RetireInput, never]
  'onWebhook.compose': [WebhookComposeInput, WebhookComposeVerdict]
  'onWebhook.send': [WebhookSendInput, WebhookSendVerdict]
  'onReport.due': [ReportDueInput, ReportDueVerdict]
  'onReport.received': [ReportReceivedInput, ReportReceivedVerdict]
  'onAccount.remove': [AccountRemoveInput, never]
}

/** "onReceive.rcpt", "beforeDeliver", … */
export type HookName = keyof HookTypes
/** What a handler of hook `H` gets, beside HandlerContext. */
export type HookInput<H extends HookName> = HookTypes[H][0]
/** What a handler of hook `H` may return, beside nothing. */
export type HookVerdict<H extends HookName> = HookTypes[H][1]

/** What an `exempt` verdict may silence. */
export type Category = 'auth' | 'reputation' | 'content' | 'policy'

/** Given to every handler beside the hook's own input. */
export interface HandlerContext {
  readonly facts: Facts
  /** Aborts at the handler's deadline and when the peer is gone. Take it from the input itself: a spread copy has none. */
  readonly signal: AbortSignal
  /** A logger that names the plugin and the hook. */
  readonly log: Log
  /** React handlers only: stable across repeats of the same event, so that the handler can recognise one. */
  readonly eventId?: string
}

// biome-ignore lint/suspicious/noConfusingVoidType: a handler without a return statement must compile
type Answer<V> = [V] extends [never] ? void : V | void

/** A handler. It may be synchronous; what it throws counts as the hook's failure verdict. */
export type HandlerFunction<H extends HookName> = (
  input: HookInput<H> & HandlerContext,
) => Answer<HookVerdict<H>> | Promise<Answer<HookVerdict<H>>>

/** A handler with its place in the order, its time limit, and what a failure of it counts as. */
export interface HandlerSpec<H extends HookName> {
  readonly handler: HandlerFunction<H>
  /** Plugins whose handlers of this hook come first. '?name': only if enabled. */
  readonly after?: readonly string[]
  /** Plugins whose handlers of this hook come later. '?name': only if enabled. */
  readonly before?: readonly string[]
  /**
   * Write and react handlers only: false for events that are not its business, which then cost neither a savepoint nor a row
   * of the outbox. Runs inside the transaction: quick, synchronous, of the input alone; a throw counts as true.
   */
  readonly when?: (input: HookInput<H> & Pick<HandlerContext, 'facts'>) => boolean
  /** Coarse place; edges win over bands. Default "normal". */
  readonly band?: 'early' | 'normal' | 'late'
  /** Milliseconds; at most the hook's own limit, which is the default. */
  readonly timeoutMs?: number
  /** What a failure of this handler counts as; default: the hook's failure verdict. */
  readonly onError?: string
  /** An `exempt` verdict may silence it by this category. */
  readonly category?: Category
  /** Never silenced by an `exempt` verdict. */
  readonly mandatory?: boolean
  /** Facts it sets. Handlers that use them come later. */
  readonly provides?: readonly FactToken<unknown>[]
  /** Facts it reads: at least one enabled handler must provide each. */
  readonly uses?: readonly FactToken<unknown>[]
}

/** Handlers of one plugin by hook name. */
export type Handlers = { readonly [H in HookName]?: HandlerFunction<H> | HandlerSpec<H> }
