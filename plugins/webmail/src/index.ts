// @mox/plugin-webmail: reading, searching, organising and writing mail in the browser, served by the http plugin at
// /webmail/. Other plugins add to it through webmail-extensions@1.
import { resolve } from 'node:path'
import { definePlugin, type PluginFactory, routes } from '@mox/plugin-sdk'
import { CALL_BYTES } from './api/calls.ts'
import { options } from './options.ts'
import { ACCOUNT_TABLES, migrations } from './schema.ts'
import { makeArchives } from './server/archives.ts'
import { makeComposePart } from './server/compose/index.ts'
import { makeContent } from './server/content/index.ts'
import { makeFacetCalls } from './server/facets.ts'
import { Guard } from './server/guard.ts'
import { makeBadges, makeItems } from './server/items.ts'
import { makeLogin, makeSessionCalls } from './server/login.ts'
import { makeSecurityCalls } from './server/login-security.ts'
import { makeMailboxCalls } from './server/mailboxes.ts'
import { makeMessageCalls } from './server/messages.ts'
import { webmailMetrics } from './server/metrics.ts'
import { Page } from './server/page.ts'
import type { Part } from './server/part.ts'
import { makeRouter } from './server/router.ts'
import { makeRuleCalls } from './server/rules.ts'
import { needs } from './server/services.ts'
import { Sessions } from './server/sessions.ts'
import { makeSettingsCalls, SettingsStore } from './server/settings.ts'
import { makeStreams } from './server/stream-part.ts'

const PATH = '/webmail/'

export const webmail: PluginFactory<typeof options> = definePlugin({
  name: 'webmail',
  options,
  needs,
  provides: { routes },
  setup: ({ options, services }) => {
    const { log, random } = services
    const metrics = webmailMetrics(services.metrics)
    const sessions = new Sessions(services)
    const guard = new Guard(sessions, services.clock)
    const settings = new SettingsStore(services.storage, err => log.error({ err }, 'changed settings cannot be read'))
    const badges = makeBadges(services.webmailExtensions, log)
    const { dataDir } = services.system
    const pathOf = (path: string | undefined) => (path === undefined ? undefined : resolve(dataDir, path))
    const page = new Page(services.webmailExtensions, {
      'custom.css': pathOf(options.css),
      'custom.js': pathOf(options.script),
    })
    const parts: readonly Part[] = [
      {
        calls: makeSessionCalls(sessions),
        removeOf: account => sessions.removeOf(account),
        start: () => sessions.start(),
        stop: () => sessions.stop(),
      },
      { calls: makeSecurityCalls({ ...services, sessions, hostname: services.system.hostname }) },
      { calls: makeSettingsCalls(settings), start: () => settings.start(), stop: () => settings.stop() },
      { calls: makeMessageCalls({ ...services, items: makeItems(badges) }) },
      { calls: makeFacetCalls(services.mailboxes) },
      { calls: makeMailboxCalls(services.mailboxes) },
      makeComposePart({
        ...services,
        ...{ policies: services.destinationPolicies, maxMessageSize: options.maxMessageSize },
        settings: account => settings.get(account),
      }),
      { calls: makeRuleCalls(services) },
      makeArchives({ ...services, maxImportSize: options.maxImportSize }),
      makeContent(services, options.imageProxy === false ? undefined : options.imageProxy.allowNetworks),
      makeStreams({ ...services, sessions, guard, settings, badges, maxMessageSize: options.maxMessageSize }),
    ]
    const largest = Math.max(...parts.flatMap(part => part.routes ?? []).map(route => route.maxBody ?? 0), 0)
    return {
      migrations,
      'onAccount.remove': async ({ account }) => {
        for (const part of parts) await part.removeOf?.(account)
        for (const table of ACCOUNT_TABLES) await services.storage.db(table).where({ account }).delete()
      },
      services: {
        routes: {
          ...{ prefix: PATH, audience: options.audience, title: 'Webmail' },
          maxBody: Math.max(CALL_BYTES, largest),
          middleware: makeRouter({
            ...{ path: PATH, parts, page, log, random, metrics },
            guard,
            login: makeLogin({ ...services, sessions, metrics, path: PATH }),
          }),
        },
      },
      start: async () => {
        await page.start()
        for (const part of parts) await part.start?.()
      },
      drain: async signal => {
        for (const part of parts) await part.drain?.(signal)
      },
      stop: async () => {
        for (const part of parts.toReversed()) await part.stop?.()
      },
    }
  },
})
