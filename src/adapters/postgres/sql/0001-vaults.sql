-- The schema of loaded data: what was loaded is told in batchward.vault, and lies in a table of its own for each batch.
-- Nobody but the agent's role has any right here: people ask the agent.
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT ON DATABASE {database} TO {agent};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION
    pg_catalog.lo_creat(int), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea),
    pg_catalog.lo_open(oid, int), pg_catalog.lo_put(oid, bigint, bytea), pg_catalog.lowrite(int, bytea)
    FROM PUBLIC;
-- Whether the file of a table that was dropped is gone: its size, and nothing else of it.
GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_file(text, boolean) TO {agent};

SET LOCAL ROLE batchward_owner;
REVOKE ALL ON SCHEMA batchward FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA batchward TO {agent};

-- Whose data lie here. One site has a database for itself.
CREATE TABLE batchward.site (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    name text NOT NULL,
    profile text NOT NULL
);
INSERT INTO batchward.site (name, profile) VALUES ({site}, {profile});

-- One row for each load that was committed, in the transaction of the load itself.
CREATE TABLE batchward.vault (
    copy bigint PRIMARY KEY,
    columns text[] NOT NULL,
    records bigint NOT NULL CHECK (records >= 0),
    bytes bigint NOT NULL CHECK (bytes >= 0),
    -- HMAC-SHA-256 of the rows as they were copied in, under the key of the batch, which the database never has: a load that
    -- is done again is held against it, and no guess of what the rows were is.
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    loaded_by name NOT NULL DEFAULT session_user,
    -- What a drop found and did, in the transaction of the drop itself.
    dropped_at timestamptz,
    dropped text,
    CHECK ((dropped_at IS NULL) = (dropped IS NULL))
);

-- A reading whose time is over ends with an error, never with fewer rows.
CREATE FUNCTION batchward.expired() RETURNS boolean LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS
$$ BEGIN RAISE EXCEPTION 'the time of the reading is over' USING ERRCODE = 'BW001'; END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA batchward FROM PUBLIC;
GRANT SELECT ON batchward.site, batchward.migration TO {agent};
GRANT SELECT, INSERT, UPDATE (dropped_at, dropped), DELETE ON batchward.vault TO {agent};
GRANT EXECUTE ON FUNCTION batchward.expired() TO {agent};
RESET ROLE;
