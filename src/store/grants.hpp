#pragma once

#include <pqxx/pqxx>

#include <string>

namespace sycee {

// What a role other than the owner of the tables may do (docs/operations.md).

// The service: to read, to add, and to change what is no book. It cannot change or delete a record,
// a posting, a payment or a rule, whatever SQL it is made to run.
void grant_service(pqxx::work& tx, std::string const& role);

// An auditor: to read the books and what they are about; no key, no password, no secret.
void grant_auditor(pqxx::work& tx, std::string const& role);

}  // namespace sycee
