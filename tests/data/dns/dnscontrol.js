// require() this file after the D() of every zone in it: D_EXTEND() adds to them.
// DNSControl deletes what it does not find; IGNORE() leaves alone what is withheld.

D_EXTEND("example.com", [
  TXT("@", "a\"'\\ ${a} $${b} %{c} %%{d} $ % #; //", TTL(60)),
  TXT("_mta-sts.b10", "v=STSv1; id=0a;", TTL(300)),
  CNAME("mta-sts.b10", "policy.example.", TTL(3600)),
  // withheld: no certificate\x0a_mta-sts: {type: TXT} */ ${a}
  IGNORE("_mta-sts.b9", "TXT,CNAME"),
  A("mta-sts.b9", "192.0.2.1", TTL(0)),
  A("mta-sts.b9", "192.0.2.2", TTL(0)),
  AAAA("mta-sts.b9", "2001:DB8:0::1", TTL(0)),
  AAAA("mta-sts.b9", "1:2:3:4:5:6:7:8", TTL(0)),
  TXT("_smtp._tls.b9", "v=TLSRPTv1; rua=mailto:01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789@example.com,https://r.example/", TTL(2147483647)),
]);

D_EXTEND("sts.example", [
  // withheld: no certificate
  IGNORE("_mta-sts.example.com", "TXT,CNAME"),
]);

D_EXTEND("xn--bcher-kva.example", [
  CNAME("_mta-sts", "_mta-sts.xn--bcher-kva.example.sts.example.", TTL(300)),
]);
