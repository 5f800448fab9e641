// Settings: where the account is logged in.
import type { JSX } from 'preact'
import { useLoaded } from '../frame/loaded.tsx'
import { call } from '../lib/api.ts'
import { attempt } from '../state/busy.ts'
import { browserOf } from './browser.ts'

export function Devices(): JSX.Element {
  const { value, problem, reload } = useLoaded(() => call('devices', {}))
  const revoke = async (id: string): Promise<void> => {
    await attempt('logging out the device', () => call('deviceRevoke', { id }))
    reload()
  }
  return (
    <>
      <h3>Devices</h3>
      <p class="hint-text">
        Browsers that are logged in to this webmail. Change your password if you do not know one of them.
      </p>
      {problem === '' ? null : <p class="problem">{problem}</p>}
      <ul class="entries" aria-busy={value === undefined}>
        {value?.devices.map(device => (
          <li key={device.id}>
            <div>
              <b title={device.userAgent}>{browserOf(device.userAgent)}</b>
              {device.current ? <span class="current">this one</span> : null}
              <small>
                {device.loginAddress} from {device.remoteIp}, last used {new Date(device.usedAt).toLocaleString()},
                since {new Date(device.createdAt).toLocaleDateString()}
              </small>
            </div>
            {device.current ? null : (
              <button type="button" onClick={() => void revoke(device.id)}>
                Log out
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}
