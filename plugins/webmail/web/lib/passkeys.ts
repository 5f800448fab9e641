// Passkeys of this browser (WebAuthn Level 3), for pages that are safe enough to have them. Bytes go to the server in base64url.

type Json = Record<string, unknown>
interface Api {
  parseCreationOptionsFromJSON(options: Json): PublicKeyCredentialCreationOptions
  parseRequestOptionsFromJSON(options: Json): PublicKeyCredentialRequestOptions
}

const api = (): Api => PublicKeyCredential as unknown as Api

/** Whether this browser can, here. */
export function hasPasskeys(): boolean {
  return isSecureContext && 'PublicKeyCredential' in globalThis && 'parseCreationOptionsFromJSON' in PublicKeyCredential
}

/** Throws what the user is to be told. */
export async function makePasskey(options: unknown) {
  const publicKey = api().parseCreationOptionsFromJSON(options as Json)
  const credential = (await asked(navigator.credentials.create({ publicKey }))) as PublicKeyCredential
  const response = credential.response as AuthenticatorAttestationResponse
  const key = response.getPublicKey()
  if (key === null) throw new Error('this device makes keys of a kind that is not known here')
  return {
    id: credential.id,
    clientData: text(response.clientDataJSON),
    authenticatorData: text(response.getAuthenticatorData()),
    publicKey: text(key),
  }
}

/** Throws what the user is to be told. */
export async function askPasskey(options: unknown) {
  const publicKey = api().parseRequestOptionsFromJSON(options as Json)
  const credential = (await asked(navigator.credentials.get({ publicKey }))) as PublicKeyCredential
  const response = credential.response as AuthenticatorAssertionResponse
  return {
    id: credential.id,
    clientData: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
  }
}

async function asked(work: Promise<Credential | null>): Promise<Credential> {
  try {
    const credential = await work
    if (credential !== null) return credential
  } catch (error) {
    if (error instanceof DOMException && error.name === 'InvalidStateError')
      throw new Error('this device has a passkey for this account already')
  }
  throw new Error('no passkey was given')
}

function text(bytes: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(bytes), byte => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
