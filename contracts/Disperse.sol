// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// The part of a token that Disperse needs. No return value is declared, so it takes tokens that return
/// nothing as well as those that return a bool.
interface Token {
    function transferFrom(address from, address to, uint256 value) external;
}

/// Several token transfers in one transaction, out of the caller's balance. The caller approves this contract
/// first. Tests use it for blocks full of payments, and for two payments in one transaction.
contract Disperse {
    function disperse(Token token, address[] calldata receivers, uint256[] calldata values) external {
        require(receivers.length == values.length, "one value for each receiver");
        for (uint256 i = 0; i < receivers.length; i++) {
            token.transferFrom(msg.sender, receivers[i], values[i]);
        }
    }
}
