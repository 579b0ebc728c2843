// Bundles the console and writes it, compressed, into one C++ file: node build.mjs SOURCES WORK OUTPUT.cpp
// WORK is a folder of the build with the packages of package-lock.json; nothing is written elsewhere.
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const [sources, work, output] = process.argv.slice(2).map((path) => resolve(path));
const esbuild = createRequire(join(work, 'package.json'))('esbuild');

const bytesMax = 200 * 1024;
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The sources beside the packages, so that both are found without a file in the source tree. */
function link() {
  const place = join(work, 'src');
  if (!existsSync(place) || !lstatSync(place).isSymbolicLink()) symlinkSync(join(sources, 'src'), place);
  return place;
}

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** A file whose name holds its hash never changes: the browser may keep it for ever. */
function asset(path, bytes, immutable) {
  const compressed = gzipSync(bytes, { level: 9 });
  compressed[9] = 255; // The system that compressed, which is no part of the content.
  return { path, type: types[path.match(/\.\w+$/)?.[0] ?? '.html'], etag: `"${hash(bytes)}"`, bytes: compressed, immutable };
}

async function bundle(src) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(src, 'main.tsx')],
    absWorkingDir: work,
    outfile: join(work, 'console.js'),
    bundle: true,
    write: false,
    minify: true,
    preserveSymlinks: true,
    format: 'esm',
    target: ['es2021', 'safari15'],
    charset: 'utf8',
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
  });
  return outputFiles.map(({ path, contents }) => {
    const name = basename(path);
    return asset(`/${name.replace('.', `-${hash(contents)}.`)}`, contents, true);
  });
}

async function assets() {
  const src = link();
  const bundled = await bundle(src);
  const named = (ending) => bundled.find(({ path }) => path.endsWith(ending)).path;
  const page = readFileSync(join(src, 'index.html'), 'utf8')
    .replace('/console.js', named('.js'))
    .replace('/console.css', named('.css'));
  return [
    asset('/', Buffer.from(page), false),
    asset('/favicon.svg', readFileSync(join(src, 'favicon.svg')), false),
    ...bundled,
  ];
}

function array(bytes, name) {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 32) lines.push([...bytes.subarray(i, i + 32)].join(','));
  return `constexpr unsigned char ${name}[] = {\n${lines.join(',\n')}};\n`;
}

function source(all) {
  const quoted = (text) => JSON.stringify(text);
  const rows = all.map(
    ({ path, type, etag, bytes, immutable }, i) =>
      `    {${quoted(path)}, ${quoted(type)}, ${quoted(etag)}, text(bytes_${i}, ${bytes.length}), ${immutable}},\n`,
  );
  return `// Made by broker/console/build.mjs from broker/console/src.
#include "broker/console/assets.hpp"

#include <array>
#include <cstddef>

namespace console {
namespace {

std::string_view text(const unsigned char* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

${all.map(({ bytes }, i) => array(bytes, `bytes_${i}`)).join('\n')}
}  // namespace

std::span<const Asset> assets() noexcept {
    static const std::array<Asset, ${all.length}> all = {{
${rows.join('')}    }};
    return all;
}

}  // namespace console
`;
}

const all = await assets();
const size = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
if (size > bytesMax) throw new Error(`the console is ${size} octets compressed, the limit is ${bytesMax}`);
mkdirSync(dirname(output), { recursive: true });
writeFileSync(output, source(all));
console.log(`console: ${all.length} files, ${size} octets compressed`);
