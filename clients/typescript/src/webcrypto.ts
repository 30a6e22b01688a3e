let found: Promise<Crypto> | undefined;

/** WebCrypto: a global in browsers and since Node 19; Node 18 has it in a module. */
export function webcrypto(): Promise<Crypto> {
  found ??= find();
  return found;
}

async function find(): Promise<Crypto> {
  const global = (globalThis as { crypto?: Crypto }).crypto;
  if (global?.subtle) return global;
  const module = "node:crypto"; // in a variable, so that no bundler looks for it
  return ((await import(module)) as { webcrypto: Crypto }).webcrypto;
}
