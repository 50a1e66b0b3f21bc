// The fingerprint of a model: what snapshots, profiles and other files made for a model carry, so that
// they are refused for another.
//
// 32 hexadecimal digits, XXH3-128 over: the files' size; each key of the metadata with its type and value;
// each tensor's name, type, shape, settings and a sample of its data (the first, middle and last 4 KiB). So a
// fine-tune of the same shape differs, and the files need not be read whole. A change outside the samples
// goes unnoticed: this tells models apart, it does not vouch for a file.
#pragma once

#include <string>

#include "base/status.hpp"
#include "models/source.hpp"

namespace brisk::runtime {

/// Bad input when a file shrank under us; environment error when memory runs out.
Result<std::string> fingerprint(const models::ModelSource& source);

}  // namespace brisk::runtime
