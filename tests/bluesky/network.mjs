// A Bluesky network of one data server and one view, on loopback: `node network.mjs FOLDER LOG`, where FOLDER is what
// `make bluesky` installed. Says where its parts are as one line of JSON, writes what the data server is asked to LOG,
// and ends when standard input does.
import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder, log] = process.argv.slice(2)
const { TestNetwork } = await import(pathToFileURL(path.join(folder, 'node_modules/@atproto/dev-env/dist/index.js')))
const network = await TestNetwork.create({})
network.pds.server.server.on('request', (request) => appendFileSync(log, `${request.method} ${request.url}\n`))
console.log(JSON.stringify({ pds: network.pds.url, view: network.bsky.url }))
process.stdin.resume()
process.stdin.on('end', async () => {
  await network.close().catch(() => {})
  process.exit(0)
})
