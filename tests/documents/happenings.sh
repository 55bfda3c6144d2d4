# What happens between the blocks of a document, by name: the part of the story that the reader does not type.
# All data, people and keys are synthetic and made on the spot.

as() { who=$1; shift; batchward --config site/agent.yaml --as "$who" --sign-with "people/$who" "$@"; }

# A site as at the end of the fifth section of the first link: people, accounts, one link in force.
happens_a_site() {
    mkdir people provider letters
    for name in anna boris alice henry sue audrey; do
        ssh-keygen -q -t ed25519 -N '' -C "$name" -f "people/$name"
    done
    ssh-keygen -q -t ed25519 -N '' -C provider -f provider/sign
    mkdir -p site/links site/layouts
    cp "$PAGES/allowance-01.yaml" site/layouts/
    cp "$PAGES/allowance.yaml" site/links/
    signer provider/sign > site/links/allowance.allowed_signers
    batchward init site --site my-office --founder anna=people/anna.pub --founder boris=people/boris.pub
    account alice custodian
    account henry handler
    account sue supervisor
    account audrey auditor
}

account() {
    as anna account add "$1" --role "$2" --unit 幼兒托育科 --sign-key "people/$1.pub"
    as boris account confirm "$1"
}

signer() { echo "provider@agency.example namespaces=\"batchward-manifest\" $(cat "$1.pub")"; }

# deliver NUMBER [SIGNING KEY]: a folder beside the inbox, and its key in letters/.
deliver() {
    folder=provider/$1
    mkdir "$folder"
    printf 'national_id,name,birth_date,village_name\nA123456789,王小明,0750312,%s\n' "$1" > provider/plain.csv
    age-keygen -o "letters/$1.key" 2>/dev/null
    age -r "$(age-keygen -y "letters/$1.key")" -o "$folder/residents.csv.age" provider/plain.csv
    cat > "$folder/manifest.yaml" <<EOT
batchward: 1
batch: $1
link: allowance
table_no: ALLOWANCE-01
kind: full
sequence: 1
notified_at: $(date --iso-8601=seconds)
basis_doc_no: 府民戶字第1150001234號
purpose: 育兒津貼資格審查
records: 1
files:
  - name: residents.csv.age
    bytes: $(stat -c %s "$folder/residents.csv.age")
    sha256: $(sha256sum < "$folder/residents.csv.age" | cut -c 1-64)
    records: 1
EOT
    ssh-keygen -q -Y sign -n batchward-manifest -f "${2:-provider/sign}" "$folder/manifest.yaml"
}

drop() { mv "provider/$1" site/drop/allowance/; }

happens_a_delivery_changed_on_its_way() {
    deliver ALLOW-0001
    # Eight bytes: one alone may be what lies there already.
    printf 'xxxxxxxx' | dd of=provider/ALLOW-0001/residents.csv.age bs=1 seek=200 conv=notrunc status=none
    drop ALLOW-0001
}

happens_the_provider_signs_with_its_next_key() {
    ssh-keygen -q -t ed25519 -N '' -C provider -f provider/next
    deliver ALLOW-0002 provider/next
    drop ALLOW-0002
    signer provider/next > letters/next-signer
}

happens_the_inbox_is_not_mounted() { mv site/drop/allowance site/drop/elsewhere; }
happens_the_inbox_is_mounted_again() { mv site/drop/elsewhere site/drop/allowance; }

happens_somebody_else_holds_the_state() {
    flock -o site/state/lock sleep 30 > /dev/null 2>&1 &
    holder=$!
    sleep 0.3
}
happens_it_is_let_go() { kill "$holder"; wait "$holder" 2>/dev/null || true; }

happens_the_root_key_is_lost() { mv site/root.key letters/root.key; }

happens_an_older_journal_is_put_back() {
    cp site/state/journal.db letters/journal.db
    as alice batch reject ALLOW-0001 --reason 退件 || true
    cp site/state/journal.db letters/journal.newest
    cp letters/journal.db site/state/journal.db
}
happens_the_newest_journal_is_back() { cp letters/journal.newest site/state/journal.db; }

happens_boris_is_away() { ssh-keygen -q -t ed25519 -N '' -C sue -f people/sue.new; ssh-keygen -q -t ed25519 -N '' -C anna -f people/anna.new; }

# The clock of the test build: two months later, and everything after it as if it had not been.
happens_the_machine_was_off_for_two_months() {
    cp -a site letters/site
    later=$(date --iso-8601=seconds -d '+60 days')
    batchward() { command batchward --test-clock "$later" "$@"; }
}
happens_the_two_months_are_over() {
    unset -f batchward
    rm -rf site
    mv letters/site site
}
