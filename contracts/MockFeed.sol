// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// A price feed with Chainlink's interface, whose rounds the test makes.
contract MockFeed {
    uint8 public immutable decimals;
    string public description;

    uint80 private roundId;
    int256 private answer;
    uint256 private updatedAt;

    constructor(string memory pair, uint8 feedDecimals, int256 first, uint256 time) {
        description = pair;
        decimals = feedDecimals;
        // As a proxy's: the phase in the upper bits.
        roundId = uint80(5) << 64;
        update(first, time);
    }

    function update(int256 newAnswer, uint256 time) public {
        roundId += 1;
        answer = newAnswer;
        updatedAt = time;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (roundId, answer, updatedAt, updatedAt, roundId);
    }
}
