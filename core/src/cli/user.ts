// Started as root, the server binds its ports and then becomes another user. From then on it cannot go back.
import { execFile } from 'node:child_process'
import { chown, lchown, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '@mox/plugin-sdk'

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Asks `id`, which knows users of every source the system has. Throws a UsageError for an unknown one. */
export async function findUser(name: string): Promise<User> {
  const ask = async (flag: string): Promise<number> =>
    Number((await promisify(execFile)('id', [flag, '--', name], { timeout: 10_000 })).stdout.trim())
  try {
    return { name, uid: await ask('-u'), gid: await ask('-g') }
  } catch {
    throw new UsageError(`user: there is no user "${name}" on this machine; make it with: useradd --system ${name}`)
  }
}

/** Hands a directory and everything in it to the user. Links are not followed. */
export async function giveFolder(folder: string, user: User): Promise<void> {
  await chown(folder, user.uid, user.gid)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await giveFolder(path, user)
    // A file that was removed meanwhile needs no owner.
    else await lchown(path, user.uid, user.gid).catch(() => undefined)
  }
}

/** Synchronous, so that nothing from outside is read in between. */
export function becomeUser(user: User): void {
  process.setgroups?.([user.gid])
  process.setgid?.(user.gid)
  process.setuid?.(user.uid)
}
