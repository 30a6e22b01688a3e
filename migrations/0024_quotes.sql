-- The rate by which a price was made into tokens, locked with the payment: {"rate", "spread", "sources": [[name, rate,
-- milliseconds since 1970]]}, as text since nothing looks into it. Empty where the price is one to one with the tokens.

ALTER TABLE payments ADD COLUMN quote text NOT NULL DEFAULT '';
