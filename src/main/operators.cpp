#include "operators.hpp"

#include <sycee/runtime/password.hpp>

#include "secret_file.hpp"

namespace sycee {

Task<Result<std::string>> authenticate(PgAccess& access, std::string name,
                                       std::filesystem::path password_file) {
    auto const password = read_secret(password_file);
    if (!password) co_return std::unexpected(password.error());
    auto const account = co_await access.find_operator(name);
    if (!account || !verify_password(account->password_hash, *password)) {
        co_return refuse("operator", "\"" + name + "\": unknown, or another password");
    }
    co_return to_string(account->id);
}

}  // namespace sycee
