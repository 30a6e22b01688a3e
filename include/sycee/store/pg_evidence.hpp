#pragma once

#include <sycee/app/evidence.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/store/database.hpp>
#include <sycee/store/verify.hpp>

namespace sycee {

// Verifies the books and gives all that an auditor needs to check them elsewhere to the sink, as of
// one moment and row by row: memory does not grow with the books. Reads only what the role of an
// auditor may. `verify`: of its options those about connections and progress.
//
// Throws WrongRow where a row can't be read as what it should be; what is wrong otherwise is told
// in the result, and given all the same. Throws what the sink throws.
Task<EvidenceFound> export_evidence(Database& database, EvidenceQuery query, Network const& network,
                                    EvidenceSink& sink, VerifyOptions verify);

}  // namespace sycee
