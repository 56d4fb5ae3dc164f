# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Makes the certificates of a small world with the openssl program: a manufacturer and its devices, an operator and its servers.
# Sourced. Everything goes into $PKI. Keys are KEY_TYPE: P-256 (default), P-384 or RSA-3072.

pki_key() { # FILE [TYPE]
	case ${2:-${KEY_TYPE:-P-256}} in
	P-256 | P-384) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:${2:-${KEY_TYPE:-P-256}}" -out "$1" ;;
	RSA-3072) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out "$1" 2>/dev/null ;;
	*) echo "pki_key: no key type '$2'" >&2 && return 1 ;;
	esac
	chmod 600 "$1"
}

# A CA. It signs CMP messages too, hence digitalSignature (RFC 9483 3.2).
pki_ca() { # NAME SUBJECT
	pki_key "$PKI/$1.key"
	openssl req -x509 -new -sha256 -key "$PKI/$1.key" -subj "$2" -days 3650 -out "$PKI/$1.pem" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,digitalSignature,keyCertSign,cRLSign
}

# Serial numbers are random, so that several shells can issue at once.
pki_issue() { # CA NAME SUBJECT "EXTENSION LINES" [openssl x509 options, e.g. -days 1]
	local ca=$1 name=$2 subject=$3 extensions=$4
	shift 4
	[ -f "$PKI/$name.key" ] || pki_key "$PKI/$name.key"
	openssl req -new -key "$PKI/$name.key" -subj "$subject" -out "$PKI/$name.csr"
	printf '%s\n' "$extensions" 'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid' > "$PKI/$name.ext"
	[ $# -gt 0 ] || set -- -days 825
	openssl x509 -req -sha256 -in "$PKI/$name.csr" -CA "$PKI/$ca.pem" -CAkey "$PKI/$ca.key" \
		-set_serial "0x$(openssl rand -hex 16 | sed 's/^./5/')" -extfile "$PKI/$name.ext" -out "$PKI/$name.leaf" "$@" 2>/dev/null
	cat "$PKI/$name.leaf" "$PKI/$ca.pem" > "$PKI/$name.pem"
	rm "$PKI/$name.csr" "$PKI/$name.ext" "$PKI/$name.leaf"
}

# A manufacturer: CA, voucher signer, HTTPS certificate of its MASA. The host name comes from MASA_HOST.
pki_manufacturer() { # PREFIX NAME
	pki_ca "$1-ca" "/O=$2/CN=$2 Device CA"
	pki_issue "$1-ca" "$1-masa" "/O=$2/CN=$2 MASA" $'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature'
	pki_issue "$1-ca" "$1-masa-tls" "/O=$2/CN=$MASA_HOST" \
		$'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:'"$MASA_HOST"
}

# Options of openssl x509 for a certificate that has expired. OpenSSL 3.5 does not count days backwards, and 3.0 takes no dates.
if openssl x509 -help 2>&1 | grep -q -- '-not_after'; then
	PKI_EXPIRED=(-not_before 20250101000000Z -not_after 20250102000000Z)
else
	# shellcheck disable=SC2034 # for who sources this
	PKI_EXPIRED=(-days -1)
fi

# An IDevID, for ever as IEEE 802.1AR wants it. Its MASA URI extension is $MASA_URL, if that is set.
pki_idevid() { # PREFIX SERIAL [openssl x509 options]
	local prefix=$1 serial=$2 extensions=$'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature'
	shift 2
	[ -z "${MASA_URL:-}" ] || extensions+=$'\n'"1.3.6.1.5.5.7.1.32=ASN1:IA5STRING:$MASA_URL"
	[ $# -gt 0 ] || set -- -days 36500
	pki_issue "$prefix-ca" "idevid-$serial" "/O=Acme/CN=Acme Sensor/serialNumber=$serial" "$extensions" "$@"
}

# The operator: its CA, a CMP signer beside it (cmcCA, RFC 6402 2.10), the registrar's certificate (cmcRA is what makes it one,
# RFC 8995 5.5.4), the RADIUS server's for EAP-TLS. REGISTRAR_HOST, if that is set, is in the registrar's.
pki_operator() { # PREFIX NAME
	pki_ca "$1-ca" "/O=$2/CN=$2 CA"
	pki_issue "$1-ca" "$1-cmp" "/O=$2/CN=$2 CMP" $'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=1.3.6.1.5.5.7.3.27'
	pki_issue "$1-ca" "$1-registrar" "/O=$2/CN=$2 Registrar" \
		$'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth,1.3.6.1.5.5.7.3.28'"${REGISTRAR_HOST:+
			subjectAltName=DNS:$REGISTRAR_HOST}"
	pki_issue "$1-ca" "$1-radius" "/O=$2/CN=radius.$1.example" \
		$'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:radius.'"$1"'.example'
}

pki_user() { # PREFIX NAME
	pki_issue "$1-ca" "user-$2" "/CN=$2" $'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=clientAuth'
}

# The CA's revocation list, in NAME-ca.crl; every certificate named is on it.
pki_crl() { # PREFIX CERT-NAME...
	local ca=$1-ca dir=$PKI/$1-crl
	shift
	mkdir -p "$dir"
	: > "$dir/index.txt"
	echo 01 > "$dir/number"
	for name in "$@"; do
		printf 'R\t491231235959Z\t%s\t%s\tunknown\t/CN=%s\n' "$(date -u +%y%m%d%H%M%SZ)" \
			"$(openssl x509 -in "$PKI/$name.pem" -noout -serial | cut -d= -f2)" "$name" >> "$dir/index.txt"
	done
	printf '[ca]\ndefault_ca=c\n[c]\ndatabase=%s/index.txt\ncrlnumber=%s/number\ndefault_md=sha256\ndefault_crl_days=30\n' \
		"$dir" "$dir" > "$dir/config"
	openssl ca -config "$dir/config" -gencrl -keyfile "$PKI/$ca.key" -cert "$PKI/$ca.pem" -out "$PKI/$ca.crl" 2> /dev/null
}
