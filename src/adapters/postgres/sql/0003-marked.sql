-- The item that sealed rows are marked by: look-ups go by what a load was made with, and not by what a rule says today.
SET LOCAL ROLE batchward_owner;
ALTER TABLE batchward.vault ADD COLUMN marked text CHECK (marked IS NULL OR salt IS NOT NULL);
RESET ROLE;
