// The mechanisms that show the password to the server, PLAIN (RFC 4616) and LOGIN (no RFC, many users), and CRAM-MD5 (RFC
// 2195), which does not, but lets a listener try passwords at full speed.
import { createHmac } from 'node:crypto'
import { type Mechanism, SaslError } from './mechanism.ts'

export function plain(username: string, password: string): Mechanism {
  return inTurn('PLAIN', Buffer.from(`\0${username}\0${password}`), [])
}

/** Whatever the prompts say, the name is first and the password second. */
export function login(username: string, password: string): Mechanism {
  return inTurn('LOGIN', undefined, [() => username, () => password])
}

export function cramMd5(username: string, password: string): Mechanism {
  const answer = (challenge: Buffer): string =>
    `${username} ${createHmac('md5', password).update(challenge).digest('hex')}`
  return inTurn('CRAM-MD5', undefined, [answer])
}

function inTurn(
  name: string,
  first: Buffer | undefined,
  answers: readonly ((challenge: Buffer) => string)[],
): Mechanism {
  const left = [...answers]
  return {
    name,
    first,
    complete: true,
    respond: async challenge => {
      const answer = left.shift()
      if (answer === undefined) throw new SaslError('the server asks for more than the mechanism has')
      return Buffer.from(answer(challenge))
    },
  }
}
