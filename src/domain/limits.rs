//! Every maximum of the project in one list (DESIGN 11: limits before receiving).

/// Bytes of a manifest (DESIGN 6).
pub const MANIFEST_BYTES_MAX: u64 = 1 << 20;
/// Control documents of one delivery that are read: a bag has five, signatures counted.
pub const CONTROL_FILES_MAX: usize = 8;
/// Bytes of all of them together: they stand in memory side by side.
pub const CONTROL_BYTES_MAX: u64 = 2 << 20;
/// Bytes of a detached signature file.
pub const SIGNATURE_BYTES_MAX: u64 = 64 << 10;
/// Bytes of one configuration, layout, policy or signers file.
pub const CONFIG_BYTES_MAX: u64 = 1 << 20;
/// Files in one delivery, manifest and signature included.
///
/// An order names all copies of a batch in one entry of the register, 134 bytes each: with what people keep of it they
/// must fit.
pub const DELIVERY_FILES_MAX: usize = 300;
/// Copies of one batch that people keep, for the same reason.
pub const HELD_COPIES_MAX: usize = 100;
/// Seconds for which a delivery must have had the same sizes, where nobody stated them.
pub const SETTLED_SECONDS: i64 = 10;
/// Bytes of one delivery over all files.
pub const DELIVERY_BYTES_MAX: u64 = 1 << 40;
/// Depth of folders that a refused delivery is cleared to.
pub const CLEAR_DEPTH_MAX: usize = 32;
/// Records of one batch.
pub const RECORDS_MAX: u64 = 1 << 32;
/// Bytes of one record, also of a quoted one.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// Bytes of look-up keys that a load keeps in memory to put them in order; beyond, it orders them in several parts.
pub const SORT_BYTES_MAX: usize = 112 << 20;
/// Bytes of a paper kept for inspection: in Base64 it fits into one request.
pub const PAPER_BYTES_MAX: u64 = 2 << 20;
/// Bytes of a key or passphrase file.
pub const KEY_BYTES_MAX: u64 = 4 << 10;
/// Characters of a passphrase of the root key, at least.
pub const PASSPHRASE_CHARS_MIN: usize = 12;
/// scrypt work factor of a root key under a passphrase: about a second, and 256 MiB for its length.
pub const ROOT_KEY_SCRYPT_LOG_N: u8 = 18;
/// Bytes of one secret in the key store (a cell holds no more).
pub const SECRET_BYTES_MAX: usize = 512;
/// scrypt work factor of a passphrase-encrypted delivery (DESIGN 12).
pub const SCRYPT_LOG_N_MAX: u8 = 20;
/// Keys that open nothing before a batch is quarantined (DESIGN 6).
pub const WRONG_KEYS_MAX: u32 = 5;
/// Files in one archive.
pub const ARCHIVE_ENTRIES_MAX: usize = 1_000;
/// Bytes of an archive's directory, as it lies there and decoded.
pub const ARCHIVE_HEADER_BYTES_MAX: u64 = 4 << 20;
/// Bytes of a file's name in an archive.
pub const ARCHIVE_NAME_BYTES_MAX: usize = 255;
/// How many times longer than its packed bytes a file of an archive may be. Padded records of fixed width come to some
/// thirty.
pub const ARCHIVE_RATIO_MAX: u64 = 250;
/// Bytes up to which that is not asked: a short file of blanks is no bomb.
pub const ARCHIVE_RATIO_FROM: u64 = 4 << 20;
/// Bytes of a dictionary of LZMA: what 7-Zip's highest level takes.
pub const ARCHIVE_DICTIONARY_BYTES_MAX: u64 = 256 << 20;
/// Rounds of SHA-256 that a 7z archive may ask for, as a power of two; 7-Zip asks for 2^19.
pub const ARCHIVE_ROUNDS_LOG_MAX: u8 = 24;
/// Rounds that all archives of one batch may ask for together: five hundred archives as 7-Zip packs them, a minute of
/// work. Each folder of each archive may ask for a key of its own, and the limit of one says nothing of their number.
pub const ARCHIVE_ROUNDS_BATCH_MAX: u64 = 1 << 28;
/// Bytes of one register or access entry (C2SP tlog-tiles: a two-byte length).
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// Positions of findings that a case record keeps, of each batch.
pub const FINDING_POSITIONS_MAX: usize = 10_000;
/// Bytes of one value, or name of a field, that is looked for.
pub const ASKED_VALUE_BYTES_MAX: usize = 1_024;
/// Bytes of the conditions of one query, as an entry of the access log holds them.
pub const SUBJECT_BYTES_MAX: usize = 24_000;
/// Characters of a typed text: reason, purpose, channel.
pub const TEXT_CHARS_MAX: usize = 500;
/// Bytes of free space that a claim leaves on the state's filesystem.
pub const FREE_BYTES_MIN: u64 = 32 << 20;
/// Things listed in one inbox.
pub const INBOX_ENTRIES_MAX: usize = 100_000;
/// Seconds that a signed text may be valid.
pub const SIGNED_SECONDS_MAX: i64 = 3600;
/// Milliseconds that the clock may step back and be waited out (DESIGN 5).
pub const CLOCK_BACK_MS_MAX: i64 = 2_000;
/// Bytes of a file with a list that is brought to `match`.
pub const LIST_BYTES_MAX: u64 = 64 << 20;
/// Bytes of one part of a spreadsheet when it is unpacked.
pub const LIST_PART_BYTES_MAX: u64 = 256 << 20;
/// How often larger than it is packed a part of a spreadsheet may be, once it is large.
pub const LIST_RATIO_MAX: u64 = 100;
/// Parts of a spreadsheet's archive.
pub const LIST_PARTS_MAX: usize = 1_000;
/// Rows of a list.
pub const LIST_ROWS_MAX: usize = 1_048_576;
/// Columns of a list.
pub const LIST_COLUMNS_MAX: usize = 256;
/// Bytes of the text of one cell of a list: a spreadsheet's 32,767 characters.
pub const LIST_CELL_BYTES_MAX: usize = 128 << 10;
/// Bytes of the texts of all cells of a list.
pub const LIST_TEXT_BYTES_MAX: usize = 64 << 20;
/// Bytes of one tag, or one piece of text, of a spreadsheet's XML.
pub const LIST_PIECE_BYTES_MAX: usize = 1 << 20;
/// Elements within each other in a spreadsheet's XML.
pub const LIST_DEPTH_MAX: usize = 64;
/// Cells of a list that hold something.
pub const LIST_CELLS_MAX: usize = 4_000_000;
/// Bytes of one request on the control socket: a list of some 300,000 ID numbers.
pub const REQUEST_BYTES_MAX: usize = 4 << 20;
/// Bytes of a request above which only [`LONG_REQUESTS_MAX`] are received at a time.
pub const SHORT_REQUEST_BYTES: usize = 64 << 10;
/// Long requests that are received and answered at a time.
pub const LONG_REQUESTS_MAX: usize = 4;
/// Bytes of one response on the control socket.
pub const RESPONSE_BYTES_MAX: usize = 64 << 20;
/// Bytes of rows that are gathered into one response, and how many of those wait for a slow reader.
pub const ROWS_BYTES: usize = 32 << 10;
/// Rows of a query that are held back to find the widths of their columns.
pub const ROWS_HELD_MAX: usize = 500;
/// Questions that a service may be granted a minute.
pub const SERVICE_RATE_MAX: u32 = 6_000;
/// Parts in which a service's budget is taken out: so many entries of the register a grant has at most, and so much of it a
/// stop of the agent may cost.
pub const BUDGET_PARTS: u64 = 200;
/// Questions of services that are looked up at a time; the next ones wait.
pub const VERIFYING_MAX: usize = 4;
/// Seconds that a question waits for its turn.
pub const VERIFYING_WAIT_SECONDS: u64 = 10;
/// Bytes of a question of a service.
pub const QUESTION_BYTES_MAX: usize = 16 << 10;
/// Milliseconds between two looks at whether rows that a slow reader does not take may still go out.
pub const ROWS_LOOK_MS: u64 = 200;
/// Values of a list that are put in order and walked along the keys of a vault together.
pub const LISTED_VALUES_AT_ONCE: usize = 1 << 17;
/// Records whose places in a list are held at once, and so the most rows that one part of it shows.
pub const LISTED_PLACES_MAX: usize = 1 << 20;
/// Rows of a list that are fetched in the order in which they lie, and held until they are told in that of the list.
pub const LISTED_ROWS_AT_ONCE: usize = if cfg!(test) { 1 << 7 } else { 1 << 16 };
/// Responses of rows that wait for a slow reader.
pub const ROWS_WAITING_MAX: usize = 4;
/// Connections to the control socket.
pub const CONNECTIONS_MAX: usize = 128;
/// Connections of one user, but the owner of the state folder: nobody takes every seat.
pub const USER_CONNECTIONS_MAX: usize = 48;
/// Notices that wait for a service manager that does not read.
pub const NOTICES_WAITING_MAX: usize = 32;
/// Seconds that a connection may be silent, also in the middle of a request.
pub const CONNECTION_IDLE_SECONDS: u64 = 30;
/// Seconds that a response may take to be taken.
pub const RESPONSE_SECONDS_MAX: u64 = 60;
/// Milliseconds in which one kind of refusal of whoever has no account is recorded once.
pub const REFUSAL_PAUSE_MS: i64 = 60_000;
/// Kinds of such refusals that are told apart.
pub const REFUSAL_KINDS_MAX: usize = 256;
/// Milliseconds that whoever submitted a key waits for what comes of it: a wrong one is told at its first bytes.
pub const KEY_TRIAL_MS_MAX: i64 = 10_000;
/// Seconds after which a command or query that got no answer is given up by whoever asked.
pub const ANSWER_SECONDS_MAX: u64 = 300;
/// Seconds that running work may take to end when the agent is to stop; what has not is parked.
pub const STOP_SECONDS_MAX: u64 = 30;
/// Looks, at the end of the process, at whether the threads that have been told to end have ended.
pub const THREADS_LOOKS_MAX: u32 = 2_500;
/// Milliseconds between two of these looks.
pub const THREADS_LOOK_MS: u64 = 2;
/// Seconds between two signs of life of the engine's thread while nothing is to be done.
pub const PULSE_SECONDS: u64 = 5;
/// Messages that the engine's thread takes before its next unit of work.
pub const MESSAGES_A_TURN: usize = 64;
/// Milliseconds that it takes messages before its next unit of work.
pub const MESSAGES_MS_MAX: i64 = 100;
/// Entries that become durable in one commit, where so many are true together.
pub const COMMIT_ENTRIES_MAX: usize = 256;
/// Milliseconds without work after the register could not be written.
pub const REST_MS: i64 = 5_000;
/// Milliseconds after which the register's files are published though there is work.
pub const TELL_MS_MAX: i64 = 1_000;
/// Milliseconds after a connection that could not be taken.
pub const ACCEPT_MS: u64 = 50;
/// Milliseconds between two hints about one link.
pub const HINT_MS_MIN: u64 = 50;
/// Folders of deliveries in one inbox that are watched; the rest wait for the scan.
pub const WATCHED_FOLDERS_MAX: usize = 10_000;
/// Threads for long steps.
pub const WORKERS_MAX: usize = 64;
/// Entries after which the fold is kept for the next start; of a longer register a twentieth of it.
pub const FOLD_KEEP_ENTRIES: u64 = 50_000;
/// Entries after which it is kept when the agent ends.
pub const FOLD_KEEP_AT_END: u64 = 10_000;
/// Batches in one part of a list.
pub const PART_BATCHES_MAX: usize = 500;
/// Batches that are looked at for one part of a list.
pub const PART_LOOKED_MAX: usize = 20_000;
/// Register entries in one part of a list.
pub const PART_ENTRIES_MAX: usize = 1_000;
/// Failed tries to leave a receipt, before that is told.
pub const RECEIPT_TRIES_TOLD: u32 = 3;
/// Retries of a step that said `later`, before a person is told.
pub const RETRIES_MAX: u32 = 20;
/// Seconds between two tries of a step that goes on failing, at most.
pub const RETRY_SECONDS_MAX: i64 = 3600;
/// Milliseconds that a resident agent works for a command before it answers (DESIGN 3: within a second).
pub const DRIVE_MS_MAX: i64 = 250;
/// The code of a failure that only room on a disk mends.
pub const DISK_FULL: &str = "disk-full";
/// Rows of one list of `status`; the page says how many there are.
pub const STATUS_ROWS_MAX: usize = 50;
/// Days before an end in which `status` tells of it.
pub const SOON_DAYS: i64 = 30;
/// Bytes of free space under which a disk is told as almost full.
pub const DISK_BYTES_LOW: u64 = 1 << 30;
/// Free inodes under which a disk is told as almost full.
pub const DISK_INODES_LOW: u64 = 10_000;
/// Milliseconds that a page of `status` may be told again to others (DESIGN 3: commands are answered within a second).
pub const STATUS_MS_MAX: i64 = 500;
/// Seconds after its last entry in which the register's files are published, before that is told.
pub const PUBLISH_SECONDS_MAX: i64 = 60;
/// Entries that the register's files may lag behind the journal while it grows, before that is told.
pub const PUBLISH_ENTRIES_MAX: u64 = 10_000;
/// Seconds that a witness's clock may be ahead of ours.
pub const COSIGNATURE_AHEAD_SECONDS_MAX: i64 = 300;
/// Bytes of a name that a server lists; a longer one is no delivery and no file of one.
pub const REMOTE_NAME_BYTES_MAX: usize = 200;
/// Things that are listed of a remote folder; more of them are told, and not looked at.
pub const REMOTE_ENTRIES_MAX: usize = 10_000;
/// Connections to servers at one time, over all links.
pub const REMOTE_SESSIONS_MAX: usize = 32;
/// Connections that fetch files of one delivery at one time.
pub const REMOTE_FILES_AT_ONCE: usize = 4;
/// Bytes that are read at once from a server; the library asks for four times as many ahead, of which a line that breaks
/// costs what has not been read.
pub const REMOTE_READ_BYTES: usize = 640 << 10;
/// The same for each of several connections.
pub const REMOTE_READ_BYTES_OF_SEVERAL: usize = 256 << 10;
/// Bytes of one frame between agent and courier.
pub const COURIER_FRAME_BYTES_MAX: usize = 16 << 20;
/// Bytes of memory that a connection's own process may use.
pub const COURIER_MEMORY_BYTES_MAX: u64 = 96 << 20;
/// Seconds until a server must have answered a connection, and until it must have said who it is.
pub const REMOTE_CONNECT_SECONDS: u64 = 20;
/// Seconds that one operation of a server may take without anything coming.
pub const REMOTE_IDLE_SECONDS: u64 = 30;
/// Seconds that a listing may take.
pub const REMOTE_LIST_SECONDS: u64 = 120;
/// Bytes that must come within [`REMOTE_PACE_SECONDS`], so that nobody holds a connection for ever.
pub const REMOTE_PACE_BYTES: u64 = 64 << 10;
/// Seconds over which the pace of a connection is measured.
pub const REMOTE_PACE_SECONDS: u64 = 60;
/// Bytes after which the digest of what has come is noted, so that a stop costs no more than these.
pub const REMOTE_NOTE_BYTES: u64 = 8 << 20;
/// Connections that a look makes again after one that brought nothing, before it is given up until its time comes.
pub const REMOTE_FRUITLESS_MAX: u32 = 5;
/// Connections that a look makes in all.
pub const REMOTE_CONNECTIONS_A_LOOK: u32 = 1_000;
/// Seconds before a source that failed is tried again, doubled with each failure and never more than its `every`.
pub const SOURCE_RETRY_SECONDS: i64 = 5;
/// Seconds without an answer after which a source is an alarm.
pub const SOURCE_SILENT_SECONDS: i64 = 3_600;
/// Seconds after which a remote delivery that could not be released, or a receipt that could not be put, is an alarm.
pub const RELEASE_SECONDS_MAX: i64 = 86_400;
/// Bytes of a file of known hosts, an identity or a password.
pub const SSH_FILE_BYTES_MAX: u64 = 1 << 20;
/// Bytes of a file that is put on a server.
pub const PUT_BYTES_MAX: u64 = 64 << 20;
/// Seconds until a database must have answered a connection and let the role in.
pub const DATABASE_CONNECT_SECONDS: u64 = 10;
/// Seconds that a short statement may take.
pub const DATABASE_STATEMENT_SECONDS: u64 = 60;
/// Seconds in which a piece of rows must have been taken, and a commit made durable.
pub const DATABASE_COPY_SECONDS: u64 = 300;
/// Seconds that the building of one table may take, and of each of its indexes.
pub const DATABASE_BUILD_SECONDS: u64 = 12 * 3600;
/// Seconds that one part of a reading may take.
pub const DATABASE_READ_SECONDS: u64 = 3600;
/// Milliseconds until a database is asked again for what loads that were given up may have left there.
pub const DATABASE_SETTLE_MS: i64 = 60_000;
/// Rows that are fetched of a reading at once.
pub const DATABASE_FETCH_ROWS: i32 = 512;
/// Records of a sealed table by which it is told what they are marked by, where the table does not say it.
pub const DATABASE_MARK_SAMPLE: i32 = 16;
/// Values of a list that are asked for at once.
pub const DATABASE_LIST_VALUES: usize = 2_000;
/// Rules of one link's `expect:`.
pub const EXPECT_RULES_MAX: usize = 32;
/// Lines of `link expected` for one link.
pub const EXPECT_LINES_MAX: usize = 1_000;
/// Numbers of missing change files that are named.
pub const EXPECT_NUMBERS_MAX: usize = 100;
/// Seconds that `link expected` looks ahead.
pub const EXPECT_AHEAD_SECONDS_MAX: i64 = 400 * 86_400;
/// Seconds after which a batch that no expected delivery was met by is not looked at any more.
pub const EXPECT_UNMATCHED_SECONDS_MAX: i64 = 400 * 86_400;
/// Days of `early`, `late_after` and `missing_after`.
pub const EXPECT_DAYS_MAX: u32 = 92;
/// Addresses that notices go to.
pub const NOTICE_READERS_MAX: usize = 500;
/// Rows of a digest.
pub const NOTICE_ROWS_MAX: usize = 200;
/// Days for which a digest looks ahead.
pub const NOTICE_AHEAD_DAYS: i64 = 14;
/// Notices that wait to be sent; what comes beyond them is told by the next digest.
pub const NOTICES_UNSENT_MAX: usize = 2_000;
/// Bytes of a planning of notices.
pub const NOTICE_PLAN_BYTES_MAX: usize = 64 << 20;
/// Seconds for which an alarm that could not be sent is kept: the digests have told what still stands of it.
pub const NOTICE_KEPT_SECONDS: i64 = 3 * 86_400;
/// Seconds after which a notice that could not be sent is an alarm.
pub const NOTICE_UNSENT_SECONDS: i64 = 86_400;
/// Seconds after which what a person has to mend is tried again.
pub const NOTICE_STUCK_SECONDS: i64 = 3_600;
/// Bytes of a notice that waits.
pub const NOTICE_BYTES_MAX: u64 = 256 << 10;
/// Seconds that the sending of one notice may take in all.
pub const NOTICE_SECONDS: u64 = 90;
/// Bytes that are heard of a server in one connection: its certificates, and replies.
pub const NOTICE_HEARD_BYTES: usize = 256 << 10;
/// Bytes of one reply to a command of mail, all of its lines.
pub const NOTICE_REPLY_BYTES: usize = 16 << 10;
/// Bytes that are heard of a webhook's answer.
pub const NOTICE_ANSWER_BYTES: usize = 4 << 10;
/// Bytes of a file of certificates.
pub const ROOTS_BYTES_MAX: u64 = 2 << 20;
