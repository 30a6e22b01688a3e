#include <sycee/runtime/random.hpp>
#include <sycee/runtime/secret_box.hpp>

#include "sodium_ready.hpp"

#include <sodium.h>

namespace sycee {

static_assert(crypto_secretbox_KEYBYTES == sizeof(Bytes32));

std::vector<std::uint8_t> SecretBox::seal(Secret const& secret) const {
    auto const text = as_bytes(secret.reveal());
    std::vector<std::uint8_t> sealed(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES +
                                     text.size());
    std::span<std::uint8_t> const nonce(sealed.data(), crypto_secretbox_NONCEBYTES);
    fill_random(nonce);
    crypto_secretbox_easy(sealed.data() + nonce.size(), text.data(), text.size(), nonce.data(),
                          key_.data());
    return sealed;
}

Result<Secret> SecretBox::open(ByteView sealed) const {
    ensure_sodium();
    constexpr std::size_t kOverhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    if (sealed.size() < kOverhead) return refuse("", "a sealed secret is too short");
    auto const nonce = sealed.first(crypto_secretbox_NONCEBYTES);
    auto const box = sealed.subspan(crypto_secretbox_NONCEBYTES);
    std::string text(sealed.size() - kOverhead, '\0');
    if (crypto_secretbox_open_easy(reinterpret_cast<std::uint8_t*>(text.data()), box.data(),
                                   box.size(), nonce.data(), key_.data()) != 0) {
        return refuse("", "a sealed secret was not sealed under this key, or was changed");
    }
    return Secret(std::move(text));
}

}  // namespace sycee
