// certificates: TLS contexts from PEM files that are read again when they change, or a self-signed pair for tests. A pair
// that cannot be used stops the start; after the start the old ones stay in use and the log says why.
import {
  type Certificates,
  certificates as certificatesToken,
  clock,
  definePlugin,
  log,
  type PluginFactory,
  system,
  UsageError,
} from '@mox/plugin-sdk'
import { type FileSource, loadAll, modified, prepareSelfSigned } from './files.ts'
import { options } from './options.ts'
import { type CertificateSet, certificateSet } from './store.ts'

export const certificates: PluginFactory<typeof options> = definePlugin({
  name: 'certificates',
  options,
  needs: { clock, log, system },
  provides: { certificates: certificatesToken },
  setup: ({ options, services }) => {
    const { clock, log, system } = services
    let current: CertificateSet | undefined
    let sources: FileSource[] = []
    let seen = ''
    let cancel = (): void => {}

    const watch = (): void => {
      cancel = clock.after(options.checkSeconds * 1000, () => {
        void reload().finally(watch)
      })
    }
    const reload = async (): Promise<void> => {
      try {
        const now = await modified(sources)
        if (now === seen) return
        current = certificateSet(await loadAll(sources))
        seen = now
        log.info({ files: sources.map(s => s.certificate).join(' ') }, 'certificates loaded again')
      } catch (error) {
        log.error({ err: error }, 'certificates changed but cannot be used; the old ones stay in use')
      }
    }
    const service: Certificates = {
      context: (name, tickets) => loadedSet().context(name, tickets),
      describe: () => current?.describe() ?? [],
    }
    const loadedSet = (): CertificateSet => {
      if (current === undefined) throw new Error('certificates are used before start')
      return current
    }
    return {
      services: { certificates: service },
      start: async () => {
        sources = options.files.map(pair => ({ certificate: pair.certificate, key: pair.key, dir: system.dataDir }))
        const [name, ...more] = options.selfSigned?.names ?? []
        if (name !== undefined) sources.push(await prepareSelfSigned(system.dataDir, [name, ...more], clock.now()))
        try {
          seen = await modified(sources)
          current = certificateSet(await loadAll(sources))
        } catch (error) {
          throw error instanceof UsageError
            ? error
            : new UsageError(`certificates: ${(error as Error).message}`, { cause: error })
        }
        watch()
      },
      stop: () => cancel(),
    }
  },
})
