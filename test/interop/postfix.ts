// Postfix on a free port: takes mail for some mailboxes of postfix.test, and passes on to our server what is for example.org.
import { mkdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { run } from '../kit/cli.ts'
import { type Foreign, foreignDir, missing, SIZE_LIMIT, startForeign } from './foreign.ts'

const SBIN = '/usr/lib/postfix/sbin'
const DOMAIN = 'postfix.test'

export const postfixMissing: string | undefined = await missing('Postfix', `${SBIN}/master`)

const MASTER = `pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

/** `port`: where it listens; `oursPort`: where our server takes mail for example.org. */
export async function startPostfix(oursPort: number, port: number): Promise<Foreign> {
  const dir = await foreignDir(DOMAIN)
  const config = join(dir, 'config')
  for (const folder of [config, join(dir, 'queue'), join(dir, 'data')]) await mkdir(folder)
  const boxes = ['bob', 'carol', 'grün', 'sender', 'later', 'closed'].map(name => `{ ${name}@${DOMAIN} = box/ }`)
  const access = await accessTable(`later@${DOMAIN}`, '450 4.7.1 come back later')
  const main = {
    compatibility_level: '3.6',
    ...{ queue_directory: `${dir}/queue`, data_directory: `${dir}/data`, daemon_directory: SBIN },
    ...{ mail_owner: 'postfix', setgid_group: 'postdrop', command_directory: '/usr/sbin' },
    ...{ maillog_file: `${dir}/log`, maillog_file_prefixes: dir },
    ...{ myhostname: DOMAIN, mydestination: '', inet_interfaces: '127.0.0.1', inet_protocols: 'ipv4' },
    ...{ mynetworks: '127.0.0.0/8', smtpd_peername_lookup: 'no', smtp_dns_support_level: 'disabled' },
    ...{ smtp_host_lookup: 'native', alias_maps: '', alias_database: '', local_recipient_maps: '' },
    virtual_mailbox_domains: DOMAIN,
    virtual_mailbox_maps: `inline:{ ${boxes.join(', ')} }`,
    ...{ virtual_mailbox_base: `${dir}/mail`, virtual_minimum_uid: '1', virtual_uid_maps: 'static:65534' },
    virtual_gid_maps: 'static:65534',
    // Our server refuses what is for closed@, after Postfix has taken it.
    transport_maps: `inline:{ { example.org = smtp:[127.0.0.1]:${oursPort} }, { closed@${DOMAIN} = smtp:[127.0.0.1]:${oursPort} } }`,
    smtpd_recipient_restrictions: `check_recipient_access tcp:127.0.0.1:${access.port}, permit_mynetworks, reject`,
    message_size_limit: String(SIZE_LIMIT),
    ...{ smtputf8_enable: 'yes', smtputf8_autodetect_classes: 'all' },
    ...{ smtpd_tls_security_level: 'may', smtpd_tls_cert_file: `${dir}/certificate.pem` },
    ...{ smtpd_tls_key_file: `${dir}/key.pem`, smtpd_tls_received_header: 'yes', smtp_tls_security_level: 'may' },
    ...{ notify_classes: '', smtpd_client_connection_rate_limit: '0' },
  }
  const lines = Object.entries(main).map(([name, value]) => `${name} = ${value}`)
  await writeFile(join(config, 'main.cf'), `${lines.join('\n')}\n`)
  await writeFile(join(config, 'master.cf'), `127.0.0.1:${port} inet n - n - - smtpd\n${MASTER}`)
  await tool('chown', 'postfix', `${dir}/data`)
  // Makes the directories of the queue.
  await tool('/usr/sbin/postfix', '-c', config, 'check')
  const started = await startForeign([`${SBIN}/master`, '-c', config, '-d'], {
    ...{ dir, domain: DOMAIN, port, logs: ['log'] },
  })
  return {
    ...started,
    later: async on => {
      access.on = on
    },
    [Symbol.asyncDispose]: async () => {
      await started[Symbol.asyncDispose]()
      access.close()
    },
  }
}

interface AccessTable {
  readonly port: number
  on: boolean
  close(): void
}

/** A tcp_table(5), as sessions that are open read no file again. While it is `on`, it says `action` of `key`. */
async function accessTable(key: string, action: string): Promise<AccessTable> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.setEncoding('latin1')
    socket.on('error', () => socket.destroy())
    socket.on('data', (text: string) => {
      for (const line of text.split('\n').filter(line => line !== ''))
        socket.write(table.on && line === `get ${key}` ? `200 ${encodeURI(action)}\n` : '500 none\n')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const table: AccessTable = {
    port: (server.address() as AddressInfo).port,
    on: false,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
  return table
}

async function tool(...command: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(command)
  if (code !== 0) throw new Error(`${command.join(' ')}: ${stdout}${stderr}`)
}
