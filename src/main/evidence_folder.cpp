#include "evidence_folder.hpp"

#include <sycee/base/assert.hpp>

#include <stdexcept>
#include <utility>

namespace sycee {

EvidenceFolder::EvidenceFolder(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::error_code error;
    if (!std::filesystem::create_directory(folder_, error)) {
        throw std::runtime_error(folder_.string() + " can't be made: " +
                                 (error ? error.message() : "it is there already"));
    }
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
}

void EvidenceFolder::write(std::string const& file, std::string_view text, std::uint64_t rows) {
    ensure(!closed_.contains(file), "a file of evidence is written once");
    auto const [at, is_new] = open_.try_emplace(file);
    Open& open = at->second;
    if (is_new) {
        open.file.name = file;
        std::filesystem::create_directories((folder_ / file).parent_path());
        open.stream.open(folder_ / file, std::ios::binary);
    }
    open.stream.write(text.data(), static_cast<std::streamsize>(text.size()));
    if (!open.stream) throw std::runtime_error((folder_ / file).string() + " can't be written");
    open.hash.add(as_bytes(text));
    open.file.bytes += text.size();
    open.file.rows += rows;
}

void EvidenceFolder::close(std::string const& file) {
    auto const found = open_.find(file);
    ensure(found != open_.end(), "a file of evidence is closed once");
    Open& open = found->second;
    open.stream.close();
    if (!open.stream) throw std::runtime_error((folder_ / file).string() + " can't be written");
    open.file.sha256 = open.hash.finish();
    closed_.emplace(file, std::move(open.file));
    open_.erase(found);
}

std::vector<EvidenceFile> EvidenceFolder::files() const {
    std::vector<EvidenceFile> files;
    for (auto const& [name, file] : closed_)
        files.push_back(file);
    return files;
}

}  // namespace sycee
