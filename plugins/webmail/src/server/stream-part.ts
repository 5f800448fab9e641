// The event streams as a part of the server: what they say first, and who tells them of changes.
import { displayDomain } from '@mox/plugin-sdk/mail'
import type { Context } from 'koa'
import type { z } from 'zod'
import { accountStreamsRequest, streamRequest } from '../api/events.ts'
import { BodyBudget, parseJson } from './body.ts'
import { CallError, type Caller } from './call.ts'
import { identitiesOf, OutgoingFeed } from './compose/index.ts'
import type { Guard } from './guard.ts'
import type { Badges } from './items.ts'
import type { Part } from './part.ts'
import type { Services } from './services.ts'
import type { Sessions } from './sessions.ts'
import type { SettingsStore } from './settings.ts'
import { type HelloParts, Streams } from './stream/index.ts'

/** Bytes of the request that opens a stream. */
export const STREAM_REQUEST_BYTES: number = 64 * 1024

interface Deps
  extends Pick<
    Services,
    'clock' | 'directory' | 'log' | 'mailboxes' | 'metrics' | 'random' | 'storage' | 'system' | 'webmailExtensions'
  > {
  readonly sessions: Sessions
  readonly guard: Guard
  readonly settings: SettingsStore
  readonly badges: Badges
  readonly maxMessageSize: number
}

export function makeStreams(deps: Deps): Part {
  const { clock, log, mailboxes, sessions, settings, badges, random } = deps
  const stillValid = ({ sessionId }: Caller): Promise<boolean> => sessions.stillValid(sessionId)
  const streams = new Streams(
    { mailboxes, clock, log, badges, stillValid, hello: caller => helloParts(deps, caller) },
    random,
  )
  const open = deps.metrics.gauge('mox_webmail_streams', 'Event streams of the webmail that are open.')
  deps.metrics.collect(() => open.set(streams.open))
  const bodies = new BodyBudget()
  const bodyOf = async <S extends z.ZodType>(ctx: Context, schema: S): Promise<z.output<S>> => {
    const body = await bodies.with(ctx, STREAM_REQUEST_BYTES, async bytes => parseJson(bytes.toString()))
    const parsed = schema.safeParse(body)
    if (!parsed.success) throw new CallError('badRequest', 'not a request for a stream')
    return parsed.data
  }
  const ends: (() => void)[] = []
  return {
    calls: streams.calls,
    routes: [
      {
        method: 'POST',
        path: /^events$/,
        auth: 'header',
        maxBody: STREAM_REQUEST_BYTES,
        handle: async (ctx, caller) => {
          // The stream writes its events itself, from now on.
          await streams.serve(caller, await bodyOf(ctx, streamRequest), ctx.req, ctx.res)
          ctx.respond = false
        },
      },
      {
        method: 'POST',
        path: /^events\/accounts$/,
        auth: 'header',
        maxBody: STREAM_REQUEST_BYTES,
        handle: async ctx => {
          const asked = await bodyOf(ctx, accountStreamsRequest)
          const callers = asked.map(async ({ csrf, request }) => ({
            caller: await deps.guard.caller(ctx, csrf).catch(ended),
            request,
          }))
          await streams.serveSeveral(await Promise.all(callers), ctx.req, ctx.res)
          ctx.respond = false
        },
      },
    ],
    start: () => {
      const outgoing = new OutgoingFeed(deps)
      ends.push(
        settings.onSettings((account, now) => streams.settingsChanged(account, now)),
        sessions.onEnd(account => streams.sessionsEnded(account)),
        outgoing.listen(() => streams.outgoingChanged()),
        () => outgoing.stop(),
      )
    },
    drain: () => {
      streams.stop()
      for (const end of ends.splice(0)) end()
    },
  }
}

/** A session that is not valid is told on its own stream. */
function ended(error: unknown): undefined {
  if (!(error instanceof CallError) || error.code === 'tooMany') throw error
}

async function helloParts(deps: Deps, { account, loginAddress }: Caller): Promise<HelloParts> {
  const { directory, mailboxes, settings, system, webmailExtensions, maxMessageSize } = deps
  const identities = await identitiesOf(directory, account, loginAddress)
  // Only what the page needs to know its own addresses by.
  const own = new Set(identities.map(({ address }) => address.slice(address.lastIndexOf('@') + 1).toLowerCase()))
  const domains = (await directory.domains())
    .filter(({ name }) => own.has(name) || own.has(displayDomain(name)))
    .map(({ name, separators, caseSensitive }) => ({
      ...{ name: displayDomain(name), separators: [...separators], caseSensitive },
    }))
  return {
    ...{ identities, domains, settings: await settings.get(account), rejectsMailbox: mailboxes.rejectsMailbox },
    extensions: webmailExtensions.map(({ name, title }) => ({ name, title })),
    ...{ version: system.version, maxMessageSize },
  }
}
