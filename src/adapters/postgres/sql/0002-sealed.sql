-- Rows that lie under the key of their batch, which the database never has.
SET LOCAL ROLE batchward_owner;
-- The salt of a load whose rows are sealed; not there where they lie in plain, by an exception that the site signed.
ALTER TABLE batchward.vault ADD COLUMN salt bytea CHECK (octet_length(salt) = 32);
RESET ROLE;
