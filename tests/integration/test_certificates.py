# SPDX-License-Identifier: MIT
"""Certificates from files: how clients lay them out, how they are renewed, what is not served."""

import shutil
import signal
import time

import pytest

from client import fetch, policy_body, tls_context
from daemon import PATIENCE_S, configuration
from pki import leaf_of

HOST = "mta-sts.example.com"
DOMAINS = {"example.com": {"mx": ["mx.example.com"]}}
BODY = policy_body("mx.example.com")


def replace_link(link, target):
    link.parent.mkdir(parents=True, exist_ok=True)
    new = link.with_name(link.name + ".new")
    new.symlink_to(target)
    new.rename(link)


def replace_file(path, *sources):
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text("".join(source.read_text() for source in sources))
    new.rename(path)


def install_certbot(folder, chain, key, generation):
    for name, issued in (("fullchain", chain), ("privkey", key)):
        file = folder / "archive" / HOST / f"{name}{generation}.pem"
        replace_file(file, issued)
        replace_link(folder / "live" / HOST / f"{name}.pem", f"../../archive/{HOST}/{file.name}")


def install_lego(folder, chain, key, generation):
    del generation
    replace_file(folder / "certificates" / f"{HOST}.crt", chain)
    replace_file(folder / "certificates" / f"{HOST}.key", key)


def install_acme_sh(folder, chain, key, generation):
    """acme.sh writes into the files that are there."""
    del generation
    (folder / f"{HOST}_ecc").mkdir(exist_ok=True)
    shutil.copyfile(key, folder / f"{HOST}_ecc" / f"{HOST}.key")
    shutil.copyfile(chain, folder / f"{HOST}_ecc" / "fullchain.cer")


def install_kubernetes(folder, chain, key, generation):
    """A secret's volume: the files stay links into ..data, which is swapped."""
    volume = folder / HOST
    replace_file(volume / f"..{generation}" / "tls.crt", chain)
    replace_file(volume / f"..{generation}" / "tls.key", key)
    replace_link(volume / "..data", f"..{generation}")
    for name in ("tls.crt", "tls.key"):
        replace_link(volume / name, f"..data/{name}")


def install_combined(folder, chain, key, generation):
    del generation
    replace_file(folder / f"{HOST}.pem", key, chain)


def install_by_domain(folder, chain, key, generation):
    del generation
    replace_file(folder / "example.com" / "example.com.pem", key, chain)


def install_numbered(folder, chain, key, generation):
    """certbot makes another lineage beside the old one, which stays as it is."""
    install_lego(folder / f"{HOST}-000{generation}", chain, key, generation)


def install_shared(folder, chain, key, generation):
    del generation
    replace_file(folder / "chain.pem", chain)
    replace_file(folder / "key.pem", key)


LAYOUTS = {
    "certbot": (install_certbot, "live/{host}/fullchain.pem", "live/{host}/privkey.pem"),
    "lego": (install_lego, "certificates/{host}.crt", "certificates/{host}.key"),
    "acme.sh": (install_acme_sh, "{host}_ecc/fullchain.cer", "{host}_ecc/{host}.key"),
    "kubernetes": (install_kubernetes, "{host}/tls.crt", "{host}/tls.key"),
    "combined": (install_combined, "{host}.pem", None),
    "by domain": (install_by_domain, "{domain}/{domain}.pem", None),
    "numbered": (install_numbered, "{host}*/certificates/{host}.crt",
                 "{host}*/certificates/{host}.key"),
    "shared": (install_shared, "chain.pem", "key.pem"),
}


def source_in(folder, chain, key=None):
    return {"chain": f"{folder}/{chain}", **({"key": f"{folder}/{key}"} if key else {})}


def served(daemon, pki, host=HOST):
    """The leaf that a sender is shown; it fits the policy."""
    answer = fetch(daemon.address, host, tls_context(pki))
    assert answer.status == 200
    return answer.certificate


def served_or_none(daemon, pki, host=HOST):
    try:
        return served(daemon, pki, host)
    except OSError:
        return None


def refresh(daemon, wanted):
    """Has the daemon look at its files again and waits for what it says."""
    n_before = len(daemon.log.lines)
    daemon.send_signal(signal.SIGHUP)
    daemon.log.wait_for(wanted, n_before)


def renew(daemon, pki, old, new):
    """Has the daemon take a new certificate ; until then the old one (or none) is served."""
    refresh(daemon, "a certificate valid until .* is in use")
    give_up_at = time.monotonic() + PATIENCE_S
    while (leaf := served_or_none(daemon, pki)) != new:
        assert leaf == old and time.monotonic() < give_up_at


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_and_renewal(serve, pki, tmp_path, layout):
    install, *paths = LAYOUTS[layout]
    pairs = [pki.issue(tmp_path / f"issued{generation}", HOST) for generation in (1, 2)]
    folder = tmp_path / "certificates of clients"
    folder.mkdir()
    install(folder, *pairs[0], 1)
    daemon = serve(configuration(pki, DOMAINS, certificates=[source_in(folder, *paths)]))
    assert served(daemon, pki) == leaf_of(pairs[0][0])
    install(folder, *pairs[1], 2)
    renew(daemon, pki, leaf_of(pairs[0][0]), leaf_of(pairs[1][0]))


@pytest.mark.parametrize("names, covered", [
    (["*.example.com"], ["mta-sts.example.com"]),
    (["mta-sts.example.com", "mta-sts.example.org"],
     ["mta-sts.example.com", "mta-sts.example.org"]),
    (["mta-sts.*.example.com", "mta-s*.example.org", "*.sub.example.com"],
     ["mta-sts.sub.example.com"]),
    (["MTA-STS.EXAMPLE.COM"], ["mta-sts.example.com"]),
])
def test_names_of_a_shared_certificate(serve, pki, tmp_path, names, covered):
    chain, key = pki.issue(tmp_path, *names)
    domains = {name: {"mx": ["mx.example.com"]}
               for name in ("example.com", "example.org", "sub.example.com")}
    daemon = serve(configuration(pki, domains,
                                 certificates=[{"chain": str(chain), "key": str(key)}]))
    for host in (f"mta-sts.{name}" for name in domains):
        if host in covered:
            assert served(daemon, pki, host) == leaf_of(chain)
            continue
        assert served_or_none(daemon, pki, host) is None
        daemon.log.wait_for(f"refused: no certificate for '{host}' can be used")


def test_first_source_that_covers_the_host_wins(serve, pki, tmp_path):
    other, wildcard, named = (pki.issue(tmp_path / name.strip("*."), name)
                              for name in ("other.example", "*.example.com", HOST))
    certificates = [{"chain": str(chain), "key": str(key)}
                    for chain, key in (other, wildcard, named)]
    certificates.insert(0, source_in(tmp_path / "absent", "{host}.pem"))
    daemon = serve(configuration(pki, DOMAINS, certificates=certificates))
    assert served(daemon, pki) == leaf_of(wildcard[0])


def test_missing_certificate_that_comes_later(serve, pki, tmp_path):
    (tmp_path / "live").mkdir()
    certificates = [source_in(tmp_path / "live", "{host}.pem")]
    daemon = serve(configuration(pki, DOMAINS, certificates=certificates))
    daemon.log.wait_for(f"warning: {HOST}: .*{HOST}.pem: cannot be read: No such file or directory")
    assert served_or_none(daemon, pki) is None
    daemon.log.wait_for(f"handshake from 127.0.0.1:.* no certificate for '{HOST}' can be used")
    chain, key = pki.issue(tmp_path / "issued", HOST)
    install_combined(tmp_path / "live", chain, key, 1)
    renew(daemon, pki, None, leaf_of(chain))


@pytest.fixture(name="pair")
def certificate_in_use(pki, tmp_path):
    """A layout with one certificate, and a second one that is to take its place."""
    install_lego(tmp_path, *pki.issue(tmp_path / "issued1", HOST), 1)
    settings = configuration(pki, DOMAINS, certificates=[source_in(tmp_path, *LAYOUTS["lego"][1:])])
    old = leaf_of(tmp_path / "issued1" / "chain.pem")
    return settings, old, pki.issue(tmp_path / "issued2", HOST)


def test_half_replaced_pair_keeps_the_old(serve, pki, tmp_path, pair):
    settings, old, (chain, key) = pair
    daemon = serve(settings)
    assert served(daemon, pki) == old
    replace_file(tmp_path / "certificates" / f"{HOST}.crt", chain)
    refresh(daemon, "the private key is not that of the certificate; the certificate read before "
                    "stays in use")
    assert served(daemon, pki) == old
    replace_file(tmp_path / "certificates" / f"{HOST}.key", key)
    renew(daemon, pki, old, leaf_of(chain))


@pytest.mark.parametrize("spoil", [
    lambda path: path.unlink(),
    lambda path: path.write_text(""),
    lambda path: path.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
], ids=["gone", "empty", "damaged"])
def test_spoilt_file_keeps_the_old(serve, pki, tmp_path, pair, spoil):
    settings, old, _ = pair
    daemon = serve(settings)
    assert served(daemon, pki) == old
    spoil(tmp_path / "certificates" / f"{HOST}.crt")
    refresh(daemon, "the certificate read before stays in use")
    assert served(daemon, pki) == old


def test_renewed_for_another_name_keeps_the_old(serve, pki, tmp_path, pair):
    settings, old, _ = pair
    daemon = serve(settings)
    assert served(daemon, pki) == old
    install_lego(tmp_path, *pki.issue(tmp_path / "issued3", "mta-sts.example.org"), 3)
    refresh(daemon, "is a certificate for 'mta-sts.example.org'; the certificate read before stays")
    assert served(daemon, pki) == old


def test_common_name_is_no_name(serve, pki, tmp_path):
    """All subjects here are the policy host, and only a SAN counts (RFC 8461 3.3)."""
    chain, key = pki.issue(tmp_path)
    daemon = serve(configuration(pki, DOMAINS,
                                 certificates=[{"chain": str(chain), "key": str(key)}]))
    daemon.log.wait_for(f"warning: {HOST}: .*is a certificate for no DNS name")
    with pytest.raises(OSError):
        fetch(daemon.address, HOST, tls_context())
    daemon.log.wait_for(f"refused: no certificate for '{HOST}' can be used")


def test_expired_certificate_is_served_with_a_warning(serve, pki, tmp_path):
    """No sender takes it, but a refused handshake would say less to who looks for the reason."""
    chain, key = pki.issue(tmp_path, HOST, days=-1)
    daemon = serve(configuration(pki, DOMAINS,
                                 certificates=[{"chain": str(chain), "key": str(key)}]))
    daemon.log.wait_for(f"warning: {HOST}: .*chain.pem: expired on ")
    answer = fetch(daemon.address, HOST, tls_context())
    assert (answer.body, answer.certificate) == (BODY, leaf_of(chain))
