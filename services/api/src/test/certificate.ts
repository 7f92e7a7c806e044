import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** Files of a new key and of a certificate of its own making for `receiver.example`. */
export function selfSigned(): { readonly keyFile: string; readonly certificateFile: string } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'purser-tls-'))
  const [keyFile, certificateFile] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')]
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const name = ['-subj', '/CN=receiver.example', '-addext', 'subjectAltName=DNS:receiver.example']
  const files = ['-keyout', keyFile, '-out', certificateFile]
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...algorithm, ...name, ...files], { stdio: 'ignore' })
  return { keyFile, certificateFile }
}
