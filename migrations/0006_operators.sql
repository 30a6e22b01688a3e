-- Who may open the dashboard.

CREATE TABLE operators (
    operator_id   uuid PRIMARY KEY,
    name          text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    password_hash text NOT NULL,  -- argon2id
    created_at    timestamptz NOT NULL
);

CREATE TABLE operator_sessions (
    token_hash  bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),  -- SHA-256 of the cookie
    operator_id uuid NOT NULL REFERENCES operators,
    expires_at  timestamptz NOT NULL
);
