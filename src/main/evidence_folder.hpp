#pragma once

#include <sycee/app/evidence.hpp>
#include <sycee/crypto/sha256_stream.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// Evidence as files in a new folder that its owner alone may read. What can't be written throws
// std::runtime_error that names the file.
class EvidenceFolder final : public EvidenceSink {
  public:
    // Throws where there is such a folder already.
    explicit EvidenceFolder(std::filesystem::path folder);

    void write(std::string const& file, std::string_view text, std::uint64_t rows) override;
    void close(std::string const& file) override;

    // Of all that were closed, by name.
    std::vector<EvidenceFile> files() const;

  private:
    struct Open {
        std::ofstream stream;
        Sha256Stream hash;
        EvidenceFile file;
    };

    std::filesystem::path folder_;
    std::map<std::string, Open> open_;
    std::map<std::string, EvidenceFile> closed_;
};

}  // namespace sycee
