// Exim on a free port: takes mail for exim.test, and passes on to our server what is for example.org.
import { existsSync } from 'node:fs'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Foreign, foreignDir, missing, SIZE_LIMIT, startForeign } from './foreign.ts'

const DOMAIN = 'exim.test'
/** Where the package puts it, and where install.sh does beside Postfix. */
const PLACES = ['/usr/sbin/exim4', '/opt/mox-interop/exim/usr/sbin/exim4']
const EXIM = PLACES.find(place => existsSync(place)) ?? ''

export const eximMissing: string | undefined = await missing('Exim', EXIM)

/** `port`: where it listens; `oursPort`: where our server takes mail for example.org. */
export async function startExim(oursPort: number, port: number): Promise<Foreign> {
  const dir = await foreignDir(DOMAIN)
  for (const folder of ['spool', 'log']) {
    await mkdir(join(dir, folder))
    await chmod(join(dir, folder), 0o777)
  }
  const config = join(dir, 'exim.conf')
  await writeFile(
    config,
    `primary_hostname = ${DOMAIN}
exim_path = ${EXIM}
spool_directory = ${dir}/spool
log_file_path = ${dir}/log/%s
pid_file_path = ${dir}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
# Nothing here needs to be root.
deliver_drop_privilege = true
message_size_limit = ${SIZE_LIMIT}
tls_advertise_hosts = *
tls_certificate = ${dir}/certificate.pem
tls_privatekey = ${dir}/key.pem
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
acl_smtp_rcpt = rcpt
acl_smtp_data = accept

begin acl
rcpt:
  deny    domains = ${DOMAIN}
          !local_parts = bob : carol : grün : sender : later : closed
          message = 550 5.1.1 no such user here
  defer   local_parts = later
          condition = \${if exists{${dir}/later}}
          message = 450 4.7.1 come back later
  accept  hosts = 127.0.0.1

begin routers
ours:
  driver = manualroute
  domains = example.org
  transport = ours
  route_list = * 127.0.0.1::${oursPort}
  self = send
closed:
  driver = redirect
  local_parts = closed
  allow_fail
  data = :fail: the mailbox is closed
box:
  driver = accept
  domains = ${DOMAIN}
  transport = box

begin transports
ours:
  driver = smtp
  allow_localhost
box:
  driver = appendfile
  maildir_format
  directory = ${dir}/mail/box
  create_directory

begin retry
* * F,1h,1s
`,
  )
  const later = async (on: boolean): Promise<void> => {
    if (on) await writeFile(join(dir, 'later'), '')
    else await rm(join(dir, 'later'), { force: true })
  }
  const command = [EXIM, '-C', config, '-bdf', '-q5s']
  const started = await startForeign(command, { dir, domain: DOMAIN, port, logs: ['log/main', 'log/panic'] })
  return { ...started, later }
}
