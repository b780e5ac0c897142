#!/usr/bin/env bash
# Makes the test keys of this folder, once: `tests/data/keys/make.sh` writes them beside itself.
#
# The keys are checked in, since they decide what the tests say (fingerprints, dates); run this only to replace all of
# them, and then mend the fingerprints in tests/it/layer/. Needs gpg 2.2 or later and openssl.
# None of the keys has a passphrase, and none protects anything: the secret halves are public, for tests and examples.
set -euo pipefail
cd "$(dirname "$0")"

GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT

# All keys are as old as this, so that a test can stand before and after it.
BORN=20240101T000000

g() { gpg --batch --quiet --pinentry-mode loopback --passphrase '' --faked-system-time "$BORN" "$@"; }

# key NAME EXPIRY PRIMARY-ALGORITHM PRIMARY-USAGE [SUBKEY-ALGORITHM [EXPIRY]]
key() {
    g --quick-generate-key "$1 <$1@consign.example>" "$3" "$4" "$2"
    if [ $# -gt 4 ]; then
        g --quick-add-key "$(fingerprint "$1")" "$5" encr "${6:-$2}"
    fi
}

fingerprint() { gpg --batch --with-colons --list-keys "<$1@consign.example>" | awk -F: '/^fpr/ { print $10; exit }'; }
public() { gpg --batch --armor --export "<$1@consign.example>" >"$1.pub.asc"; }
secret() { gpg --batch --pinentry-mode loopback --passphrase '' --armor --export-secret-keys "<$1@consign.example>" >"$1.sec.asc"; }

# The receiver of the examples and of most tests, and a second one for two recipients: RSA and curves.
key receiver never rsa3072 sign,cert rsa3072
key second never ed25519 sign,cert cv25519
key nistp never nistp256 sign,cert nistp384
# One key for everything, as old tools make them.
key single never rsa2048 sign,cert,encr
for name in receiver second nistp single; do public "$name"; secret "$name"; done

# The healthy key again, with a certification by somebody else on it, as key servers hand them out.
g --default-key "$(fingerprint second)" --quick-sign-key "$(fingerprint receiver)"
gpg --batch --armor --export "<receiver@consign.example>" >certified.pub.asc

key expired 2024-02-01 rsa2048 sign,cert rsa2048 2024-02-01
public expired
key expired-subkey never rsa2048 sign,cert rsa2048 2024-02-01
public expired-subkey
key sign-only never rsa2048 sign,cert
public sign-only
key brainpool never rsa2048 sign,cert brainpoolP256r1
public brainpool
# A primary key that is too short, and a subkey that is.
key rsa1024 never rsa1024 sign,cert rsa2048
public rsa1024
key rsa1024-subkey never rsa2048 sign,cert rsa1024
public rsa1024-subkey
g --quick-generate-key "elgamal <elgamal@consign.example>" rsa2048 sign,cert never
printf '%s\n' addkey 5 2048 0 save |
    gpg --batch --quiet --pinentry-mode loopback --passphrase '' --faked-system-time "$BORN" --expert \
        --command-fd 0 --edit-key "$(fingerprint elgamal)" 2>/dev/null
public elgamal

# Two subkeys: the newer one is revoked, the older one stands.
key fallback never rsa2048 sign,cert cv25519
BORN=20240601T000000
g --quick-add-key "$(fingerprint fallback)" cv25519 encr never
printf '%s\n' 'key 2' revkey y 0 '' y save |
    gpg --batch --quiet --pinentry-mode loopback --passphrase '' --faked-system-time 20240701T000000 \
        --command-fd 0 --edit-key "$(fingerprint fallback)" 2>/dev/null
public fallback

BORN=20240101T000000
# A signing subkey that is newer than the one for encryption.
key signing-subkey never rsa2048 sign,cert cv25519
BORN=20240601T000000
g --quick-add-key "$(fingerprint signing-subkey)" ed25519 sign never
public signing-subkey

# Once to expire on 2024-02-01, and extended since.
BORN=20240101T000000
key extended 2024-02-01 rsa2048 sign,cert cv25519
BORN=20240115T000000
g --quick-set-expire "$(fingerprint extended)" 0
g --quick-set-expire "$(fingerprint extended)" 0 '*'
public extended

# Two user ids: the newer one, which speaks for the key, is revoked.
BORN=20240101T000000
key users never rsa2048 sign,cert cv25519
BORN=20240601T000000
g --quick-add-uid "$(fingerprint users)" 'former <former@consign.example>'
BORN=20240701T000000
g --quick-revoke-uid "$(fingerprint users)" 'former <former@consign.example>'
public users
BORN=20240101T000000

key revoked-subkey never rsa2048 sign,cert rsa2048
printf '%s\n' 'key 1' revkey y 0 '' y save |
    gpg --batch --quiet --pinentry-mode loopback --passphrase '' --faked-system-time 20240201T000000 \
        --command-fd 0 --edit-key "$(fingerprint revoked-subkey)" 2>/dev/null
public revoked-subkey

key revoked never rsa2048 sign,cert rsa2048
sed 's/^:-----/-----/' "$GNUPGHOME/openpgp-revocs.d/$(fingerprint revoked).rev" | gpg --batch --quiet --import
public revoked

# Self-signatures over SHA-1: the whole key, and the binding of the subkey alone.
sha1() { g --cert-digest-algo SHA1 --allow-weak-digest-algos "$@"; }
sha1 --quick-generate-key "sha1 <sha1@consign.example>" rsa2048 sign,cert never
sha1 --quick-add-key "$(fingerprint sha1)" rsa2048 encr never
public sha1
key sha1-subkey never rsa2048 sign,cert
sha1 --quick-add-key "$(fingerprint sha1-subkey)" rsa2048 encr never
public sha1-subkey

# The sample certificate of version 6 and its secret key (RFC 9580, appendix A.3 and A.4), which gpg cannot make, stand in
# v6.pub.asc and v6.sec.asc.

# Keys that are not OpenPGP.
openssl genrsa 2048 2>/dev/null >rsa.sec.pem
openssl rsa -in rsa.sec.pem -pubout >rsa.pub.pem 2>/dev/null
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFhPc2lkZSB0aGUgaG91c2UsIG5vIGtleSBhdCBhbGwh nobody@consign.example' >id_ed25519.pub
