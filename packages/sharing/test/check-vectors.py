"""Checks test/vectors/type1.json against docs/PROTOCOL.md, sections 0 to 2, with Python's standard library alone.

Nothing is shared with the TypeScript: the field by carry-less division, HKDF from hmac, X25519 (RFC 7748 section 5),
Ed25519 (RFC 8032 section 5.1) and CBOR (RFC 8949) are written out here. Usage: python3 check-vectors.py [FILE]
"""

import hashlib
import hmac
import json
import pathlib
import sys

checks = 0


def expect(name, actual, expected):
    global checks
    checks += 1
    if isinstance(actual, bytes):
        actual = actual.hex()
    if actual != expected:
        sys.exit(f"{name}: {actual} is not {expected}")


# CBOR: integers, byte strings, text and arrays (RFC 8949 section 3, deterministic as in section 4.2.1)


def head(major, n):
    for size, minor in ((0, None), (1, 24), (2, 25), (4, 26), (8, 27)):
        if size == 0 and n < 24:
            return bytes([major << 5 | n])
        if size > 0 and n < 1 << 8 * size:
            return bytes([major << 5 | minor]) + n.to_bytes(size, "big")
    raise ValueError(n)


def cbor(value):
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return head(3, len(text)) + text
    return head(4, len(value)) + b"".join(cbor(element) for element in value)


def preimage(name, *fields):
    return cbor([f"skerry/{name}/v1", *fields])


def sha256(data):
    return hashlib.sha256(data).digest()


def hkdf(ikm, salt, info, length):
    prk = hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()
    okm, block = b"", b""
    while len(okm) < length:
        block = hmac.new(prk, block + info + bytes([len(okm) // 32 + 1]), hashlib.sha256).digest()
        okm += block
    return okm[:length]


# GF(2^8): polynomials over GF(2), product first, remainder by x^8 + x^4 + x^3 + x + 1 after


def gf_mul(a, b):
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0x11B << (bit - 8)
    return product


def gf_inverse(a):
    return next(b for b in range(1, 256) if gf_mul(a, b) == 1)


def gf_lambda(points, i, x):
    value = 1
    for j, other in enumerate(points):
        if j != i:
            value = gf_mul(value, gf_mul(x ^ other, gf_inverse(points[i] ^ other)))
    return value


def gf_power(x, exponent):
    value = 1
    for _ in range(exponent):
        value = gf_mul(value, x)
    return value


def xor(a, b):
    return bytes(p ^ q for p, q in zip(a, b, strict=True))


def scale(factor, data):
    return bytes(gf_mul(factor, byte) for byte in data)


# X25519, RFC 7748 section 5

P = 2**255 - 19


def x25519(seed, u):
    k = int.from_bytes(seed, "little") & ~7 & (1 << 255) - 1 | 1 << 254
    u = int.from_bytes(u, "little") & (1 << 255) - 1
    x1, x2, z2, x3, z3, swap = u, 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


BASE_U = (9).to_bytes(32, "little")

# Ed25519, RFC 8032 section 5.1, in the extended coordinates of section 5.1.4

D = -121665 * pow(121666, P - 2, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493


def ed_add(p, q):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = p, q
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def ed_base():
    y = 4 * pow(5, P - 2, P) % P
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 else x
    return x, y, 1, x * y % P


def ed_multiply(scalar, point=ed_base()):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = ed_add(total, point)
        point = ed_add(point, point)
        scalar >>= 1
    return total


def ed_encode(point):
    x, y, z, _ = point
    inverse = pow(z, P - 2, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little")


def ed_sign(seed, message):
    digest = hashlib.sha512(seed).digest()
    a = int.from_bytes(digest[:32], "little") & ~7 & (1 << 255) - 1 | 1 << 254
    public = ed_encode(ed_multiply(a))
    r = int.from_bytes(hashlib.sha512(digest[32:] + message).digest(), "little") % ORDER
    big_r = ed_encode(ed_multiply(r))
    h = int.from_bytes(hashlib.sha512(big_r + public + message).digest(), "little") % ORDER
    return public, big_r + ((r + h * a) % ORDER).to_bytes(32, "little")


def self_check():
    """This script's own curves against the RFCs, so that agreement means something."""
    expect(
        "RFC 7748 section 5.2",
        x25519(
            bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
            bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
        ),
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    )
    public, signature = ed_sign(
        bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"), b"\x72"
    )
    expect(
        "RFC 8032 section 7.1, test 2, key",
        public,
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    )
    expect(
        "RFC 8032 section 7.1, test 2, signature",
        signature,
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    )
    expect(
        "RFC 5869 appendix A.1",
        hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    )


def check_share(case, key_id, share):
    x, y = share["x"], bytes.fromhex(share["y"])
    value = bytes(case["length"])
    for degree, coefficient in enumerate(case["coefficients"]):
        value = xor(value, scale(gf_power(x, degree), bytes.fromhex(coefficient)))
    expect(f"y at {x}", value, share["y"])
    okm = hkdf(y, b"", preimage("share-keys", key_id, case["epoch"], x, case["length"]), 64)
    expect(f"signing seed at {x}", okm[:32], share["signSeed"])
    expect(f"mask seed at {x}", okm[32:], share["maskSeed"])
    expect(f"mk at {x}", x25519(okm[32:], BASE_U), share["mk"])
    proof = preimage("possession", key_id, case["epoch"], x, bytes.fromhex(case["nonce"]))
    public, signature = ed_sign(okm[:32], proof)
    expect(f"vk at {x}", public, share["vk"])
    expect(f"possession at {x}", signature, share["possession"])


def check_round(case, key_id, round_):
    op, points, x, length = round_["op"], round_["set"], round_["x"], case["length"]
    tail = [bytes.fromhex(round_[name]) for name in ("recipientId", "recipientKey", "authHash", "roundId")]
    core_hash = bytes.fromhex(round_["coreHash"])
    context = ["gf256", op, key_id, case["epoch"], core_hash, case["t"], length, points, x, *tail]
    challenge = sha256(preimage("round", context))
    expect(f"challenge of {op}", challenge, round_["challenge"])
    shares = {share["x"]: share for share in case["shares"]}
    result = bytes(length)
    for i, own in enumerate(points):
        factor = gf_lambda(points, i, x)
        expect(f"lambda of {own} in {op}", factor, round_["lambdas"][i])
        contribution = scale(factor, bytes.fromhex(shares[own]["y"]))
        for other in points:
            if other == own:
                continue
            secret = x25519(bytes.fromhex(shares[own]["maskSeed"]), bytes.fromhex(shares[other]["mk"]))
            info = preimage("mask", min(own, other), max(own, other))
            contribution = xor(contribution, hkdf(secret, challenge, info, length))
        expect(f"contribution of {own} to {op}", contribution, round_["contributions"][i])
        result = xor(result, contribution)
    expect(f"result of {op}", result, round_["result"])
    expect(f"meaning of {op}", round_["result"], case["payload"] if x == 0 else shares[x]["y"])


def main():
    default = pathlib.Path(__file__).parent / "vectors" / "type1.json"
    vectors = json.loads(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else default).read_text())
    self_check()
    for a, b, product in vectors["products"]:
        expect(f"{a} * {b}", gf_mul(a, b), product)
    for a, inverse in vectors["inverses"]:
        expect(f"1 / {a}", gf_inverse(a), inverse)
    for case in vectors["cases"]:
        key_id, payload = bytes.fromhex(case["keyId"]), bytes.fromhex(case["payload"])
        expect("P is the first coefficient", payload, case["coefficients"][0])
        expect("length of P", len(payload), case["length"])
        expect("threshold", len(case["coefficients"]), case["t"])
        expect("boxed exactly over 64 bytes", case["box"] is not None, len(case["key"]) > 128)
        if case["box"] is None:
            expect("M is the key", payload[:-32], case["key"])
        expect("aad of the box", preimage("box", key_id), case["boxAad"])
        expect("commitment", sha256(preimage("commit", key_id, case["originEpoch"], payload)), case["commitment"])
        for share in case["shares"]:
            check_share(case, key_id, share)
        for round_ in case["rounds"]:
            check_round(case, key_id, round_)
    print(f"{checks} checks hold")


main()
