// Calls for the account's second factor and its passwords for programs. What lets somebody in needs the account's password once
// more: an unattended browser is not enough.
import { type Directory, type LoginSecurity, type Random, UsageError } from '@mox/plugin-sdk'
import { CallError, type Caller, type Handlers } from './call.ts'
import { CHALLENGE_BYTES, PROOFS } from './limits.ts'
import { setNewest } from './newest.ts'
import type { Sessions } from './sessions.ts'

interface Deps {
  readonly directory: Directory
  readonly loginSecurity: LoginSecurity | undefined
  readonly sessions: Sessions
  readonly random: Random
  readonly hostname: string
}

type SecurityCalls =
  | 'loginSecurity'
  | 'secondFactorBegin'
  | 'secondFactorEnable'
  | 'secondFactorDisable'
  | 'recoveryCodesRenew'
  | 'passkeyBegin'
  | 'passkeyAdd'
  | 'passkeyRemove'
  | 'appPasswordAdd'
  | 'appPasswordRemove'

export function makeSecurityCalls(deps: Deps): Handlers<SecurityCalls> {
  const { directory, loginSecurity, sessions, random, hostname } = deps
  /** What a new passkey is asked, by session. */
  const challenges = new Map<string, string>()
  const service = (): LoginSecurity => {
    if (loginSecurity === undefined) throw new CallError('refused', 'this server has no second factors')
    return loginSecurity
  }
  const confirm = async (password: string, caller: Caller): Promise<LoginSecurity> => {
    const { account, loginAddress, remoteIp, userAgent, tls } = caller
    const context = {
      protocol: 'webmail',
      remoteIp,
      localIp: '',
      userAgent,
      asksForCode: true,
      ...(tls && { tls }),
    } as const
    const result = await directory.login(loginAddress, password, context)
    const right = (result.ok || result.result === 'secondfactor') && result.account === account
    if (right) return service()
    throw new CallError(!result.ok && result.result === 'toomany' ? 'tooMany' : 'refused', 'the password is wrong')
  }
  return {
    loginSecurity: async (_, { account }) => {
      if (loginSecurity === undefined)
        return { available: false, secondFactorSince: null, recoveryCodes: 0, passkeys: [], appPasswords: [] }
      const { secondFactorSince = null, recoveryCodes, passkeys, appPasswords } = await loginSecurity.state(account)
      return {
        ...{ available: true, secondFactorSince, recoveryCodes },
        passkeys: passkeys.map(({ usedAt = null, ...rest }) => ({ ...rest, usedAt })),
        appPasswords: appPasswords.map(({ usedAt = null, ...rest }) => ({ ...rest, usedAt })),
      }
    },
    secondFactorBegin: async (_, { loginAddress }) => {
      const secret = service().newSecret()
      const [label, issuer] = [loginAddress, hostname].map(encodeURIComponent)
      return { secret, uri: `otpauth://totp/${issuer}:${label}?secret=${secret}&issuer=${issuer}` }
    },
    secondFactorEnable: async ({ password, secret, code }, caller) => {
      const security = await confirm(password, caller)
      const recoveryCodes = await told(security.enable(caller.account, secret, code))
      if (recoveryCodes === undefined)
        throw new CallError(
          'refused',
          'this is not the code of now; look at the app again, and at the clock of its device',
        )
      await sessions.renew(caller.account, caller.sessionId)
      return { recoveryCodes: [...recoveryCodes] }
    },
    secondFactorDisable: async ({ password }, caller) => {
      await (await confirm(password, caller)).disable(caller.account)
      await sessions.renew(caller.account, caller.sessionId)
      return {}
    },
    recoveryCodesRenew: async ({ password }, caller) => {
      const security = await confirm(password, caller)
      return { recoveryCodes: [...(await told(security.renewRecoveryCodes(caller.account)))] }
    },
    passkeyBegin: async (_, { account, loginAddress, host, sessionId }) => {
      const challenge = random.bytes(CHALLENGE_BYTES).toString('base64url')
      const options = await told(service().passkeyOptions(account, loginAddress, host, challenge))
      setNewest(challenges, sessionId, challenge, PROOFS)
      return { options }
    },
    passkeyAdd: async ({ password, name, answer }, caller) => {
      const challenge = challenges.get(caller.sessionId)
      if (challenge === undefined) throw new CallError('refused', 'that took too long; begin again')
      const security = await confirm(password, caller)
      challenges.delete(caller.sessionId)
      if (!(await told(security.addPasskey(caller.account, name, caller.host, challenge, answer))))
        throw new CallError('refused', 'this is no answer of a passkey for this site; begin again')
      return {}
    },
    passkeyRemove: async ({ id }, { account }) => {
      if (!(await service().removePasskey(account, id)))
        throw new CallError('notFound', 'there is no such passkey any more')
      return {}
    },
    appPasswordAdd: async ({ password, name }, caller) => {
      const security = await confirm(password, caller)
      return { password: (await told(security.addAppPassword(caller.account, name))).password }
    },
    appPasswordRemove: async ({ id }, { account }) => {
      if (!(await service().removeAppPassword(account, id)))
        throw new CallError('notFound', 'there is no such password any more')
      return {}
    },
  }
}

/** What the owner can do about it is told. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof UsageError) throw new CallError('refused', error.message)
    throw error
  }
}
