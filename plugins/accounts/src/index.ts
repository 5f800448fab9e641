// accounts (bridge)
import { clock, definePlugin, directory, type Directory, type LoginContext, type LoginResult, log, metrics, type PluginFactory, random, type SaslExchange, secrets, storage, system } from '@mox/plugin-sdk'
import { parseAddress } from '@mox/plugin-sdk/mail'
import { Argon2 } from './argon2.ts'
import { configEntries } from './config.ts'
import { plainCredential } from './credential.ts'
import { Lookup } from './lookup.ts'
import { options } from './options.ts'
import { Passwords } from './passwords.ts'

export const accounts: PluginFactory<typeof options> = definePlugin({
  name: 'accounts',
  options,
  needs: { clock, log, metrics, random, secrets, storage, system },
  provides: { directory },
  setup: ({ options, services }) => {
    const { entries } = configEntries(options)
    const lookup = new Lookup(entries, { postmaster: options.postmaster, fallbackAccount: options.fallbackAccount }, services.system.hostname)
    const passwords = new Passwords(new Argon2(), services.clock, services.random)
    const login = async (name: string, password: string, _c: LoginContext): Promise<LoginResult> => {
      const parsed = parseAddress(name)
      const account = parsed.ok && parsed.path ? lookup.login(parsed.path) : undefined
      const given = account === undefined ? undefined : options.accounts[account.name]?.password
      const credential = typeof given === 'string' ? plainCredential(account!.name, given, () => Buffer.alloc(16)) : undefined
      if (account !== undefined && (await passwords.check(credential, password, () => () => {}))) return { ok: true, account: account.name, loginAddress: name }
      return { ok: false, result: 'badcreds', reply: { code: 535, enhanced: '5.7.8', text: 'authentication failed' } }
    }
    const plain = (context: LoginContext): SaslExchange => ({
      step: async response => {
        if (response === null) return { kind: 'challenge', data: Buffer.alloc(0) }
        const [, user = '', password = ''] = response.toString().split('\0')
        return { kind: 'done', result: await login(user, password, context) }
      },
      abort: () => {},
    })
    const service: Directory = {
      resolve: async path => lookup.resolve(path),
      domain: async name => lookup.domain(name),
      domains: async () => lookup.domains,
      account: async name => lookup.account(name),
      accounts: async () => lookup.accounts,
      maySendAs: async (account, path) => lookup.maySendAs(account, path),
      mechanisms: ({ tls, allowPlain }) => (tls || allowPlain ? ['PLAIN'] : []),
      sasl: (m, context) => (m === 'PLAIN' ? plain(context) : undefined),
      login,
      limited: () => false,
    }
    return { services: { directory: service } }
  },
})
