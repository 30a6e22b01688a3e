// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// A token for tests and the demo, with the habits of the USDT contract on Ethereum that have cost careless
/// integrations money. It guards nothing of value: never deploy it on a real chain.
///
///  - transfer, transferFrom and approve return nothing, where ERC-20 says they return a bool.
///  - An optional fee: a transfer then emits two Transfer logs, the fee to the owner first, and the receiver
///    gets less than the call said.
///  - The blacklist holds the sender only: a listed address still receives.
///  - destroyBlackFunds() and issue() change balances without a Transfer log, so the logs alone do not add up
///    to the balances.
///  - approve() refuses to change one non-zero allowance to another.
///  - The owner can stop all transfers.
contract TestToken {
    string public name;
    string public symbol;
    uint8 public immutable decimals;
    address public immutable owner;
    uint256 public totalSupply;

    uint256 public basisPointsRate;
    uint256 public maximumFee;
    bool public paused;

    mapping(address => bool) public isBlackListed;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    uint256 private constant RATE_LIMIT = 20; // basis points
    uint256 private constant FEE_LIMIT = 50; // whole tokens

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Issue(uint256 amount);
    event Redeem(uint256 amount);
    event Params(uint256 feeBasisPoints, uint256 maxFee);
    // The addresses of these three are in the data of the log, not in its topics.
    event AddedBlackList(address user);
    event RemovedBlackList(address user);
    event DestroyedBlackFunds(address user, uint256 balance);
    event Pause();
    event Unpause();

    constructor(string memory name_, string memory symbol_, uint8 decimals_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
        owner = msg.sender;
    }

    modifier onlyOwner() {
        require(msg.sender == owner, "not the owner");
        _;
    }

    modifier whenNotPaused() {
        require(!paused, "paused");
        _;
    }

    // --- What everybody may call. No return values: see above.

    function transfer(address to, uint256 value) external whenNotPaused {
        move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external whenNotPaused {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= value, "allowance too small");
        // The largest allowance means "for ever" and is not used up.
        if (allowed != type(uint256).max) {
            allowance[from][msg.sender] = allowed - value;
        }
        move(from, to, value);
    }

    function approve(address spender, uint256 value) external {
        require(value == 0 || allowance[msg.sender][spender] == 0, "set the allowance to 0 first");
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
    }

    // --- What the owner may call.

    /// New tokens for the owner, without a Transfer log.
    function issue(uint256 amount) external onlyOwner {
        balanceOf[owner] += amount;
        totalSupply += amount;
        emit Issue(amount);
    }

    /// Burns tokens of the owner, without a Transfer log.
    function redeem(uint256 amount) external onlyOwner {
        require(balanceOf[owner] >= amount, "balance too small");
        balanceOf[owner] -= amount;
        totalSupply -= amount;
        emit Redeem(amount);
    }

    /// New tokens for anyone, with a Transfer log from the zero address, as bridged tokens are minted.
    function mint(address to, uint256 amount) external onlyOwner {
        balanceOf[to] += amount;
        totalSupply += amount;
        emit Transfer(address(0), to, amount);
    }

    /// Sets the fee: a rate below 20 basis points, and a maximum below 50, in whole tokens.
    function setParams(uint256 newBasisPoints, uint256 newMaxFee) external onlyOwner {
        require(newBasisPoints < RATE_LIMIT && newMaxFee < FEE_LIMIT, "fee above its limit");
        basisPointsRate = newBasisPoints;
        maximumFee = newMaxFee * 10 ** decimals;
        emit Params(basisPointsRate, maximumFee);
    }

    function addBlackList(address user) external onlyOwner {
        isBlackListed[user] = true;
        emit AddedBlackList(user);
    }

    function removeBlackList(address user) external onlyOwner {
        isBlackListed[user] = false;
        emit RemovedBlackList(user);
    }

    /// Takes everything from a listed address, without a Transfer log.
    function destroyBlackFunds(address user) external onlyOwner {
        require(isBlackListed[user], "not on the blacklist");
        uint256 destroyed = balanceOf[user];
        balanceOf[user] = 0;
        totalSupply -= destroyed;
        emit DestroyedBlackFunds(user, destroyed);
    }

    function pause() external onlyOwner whenNotPaused {
        paused = true;
        emit Pause();
    }

    function unpause() external onlyOwner {
        require(paused, "not paused");
        paused = false;
        emit Unpause();
    }

    // ---

    function move(address from, address to, uint256 value) private {
        require(!isBlackListed[from], "sender is on the blacklist");
        require(balanceOf[from] >= value, "balance too small");
        uint256 fee = feeFor(value);
        uint256 received = value - fee;
        balanceOf[from] -= value;
        if (fee > 0) {
            balanceOf[owner] += fee;
            emit Transfer(from, owner, fee);
        }
        balanceOf[to] += received;
        emit Transfer(from, to, received);
    }

    function feeFor(uint256 value) private view returns (uint256) {
        uint256 fee = (value * basisPointsRate) / 10_000;
        return fee < maximumFee ? fee : maximumFee;
    }
}
