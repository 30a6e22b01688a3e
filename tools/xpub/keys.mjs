// A merchant's wallet account: BIP-39 words, the BIP-44 account of Ethereum (m/44'/60'/0') and its addresses.

import { secp256k1 } from "@noble/curves/secp256k1";
import { HDKey } from "@scure/bip32";
import { generateMnemonic, mnemonicToSeedSync, validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english";
import { publicKeyToAddress } from "viem/accounts";

export const accountPath = "m/44'/60'/0'";
const accountDepth = 3;
const receivingDepth = 4; // of the account's chain 0, below which its addresses are
const hardened = 0x80000000;

/** 24 words with 256 bits of randomness. */
export function newMnemonic() {
  return generateMnemonic(wordlist, 256);
}

/**
 * The account of a mnemonic.
 * @param {string} words parted by any white space
 * @returns {HDKey} with its private key
 */
export function accountOf(words) {
  const mnemonic = words.normalize("NFKD").toLowerCase().trim().split(/\s+/).join(" ");
  if (!validateMnemonic(mnemonic, wordlist)) {
    const unknown = mnemonic.split(" ").findIndex((word) => !wordlist.includes(word));
    throw new Error(
      unknown >= 0
        ? `word ${unknown + 1} is not one of the 2048 BIP-39 words` // the word itself is a secret
        : "these are BIP-39 words, but their number or checksum is wrong",
    );
  }
  return HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic)).derive(accountPath);
}

/**
 * Reads an extended public key of an account, or of its receiving chain.
 * @param {string} text
 * @returns {HDKey}
 */
export function parseXpub(text) {
  if (/^[a-z]prv/.test(text)) {
    throw new Error("this is a PRIVATE key: whoever sees it can take the money. Sycee needs the public one (xpub…)");
  }
  if (!text.startsWith("xpub")) throw new Error("an extended public key starts with xpub");
  let key;
  try {
    key = HDKey.fromExtendedKey(text);
  } catch (error) {
    throw new Error(`not an extended public key: ${error.message}`);
  }
  const isAccount = key.depth === accountDepth && key.index >= hardened;
  if (!isAccount && key.depth !== receivingDepth) {
    throw new Error(
      `this key has depth ${key.depth}; Sycee needs that of an account, depth ${accountDepth}, such as ${accountPath}, ` +
        `or of its receiving chain, depth ${receivingDepth}, such as ${accountPath}/0`,
    );
  }
  return key;
}

/** The path of a deposit address below the key: 0/index below an account, index below its receiving chain. */
const pathOf = (key, index) => (key.depth === accountDepth ? `0/${index}` : `${index}`);

/** The deposit address at an index. */
export function addressOf(key, index) {
  const { publicKey } = key.derive(`m/${pathOf(key, index)}`);
  const uncompressed = secp256k1.ProjectivePoint.fromHex(publicKey).toHex(false);
  return publicKeyToAddress(`0x${uncompressed}`);
}

/** What a merchant compares with its wallet. */
export function describe(key, count = 3) {
  return {
    xpub: key.publicExtendedKey,
    depth: key.depth,
    fingerprint: key.fingerprint.toString(16).padStart(8, "0"),
    addresses: Array.from({ length: count }, (_, index) => ({
      path: pathOf(key, index),
      address: addressOf(key, index),
    })),
  };
}
