# Import a record that exists already, by the ID <zone id>/<record id>: a second TXT at
# _mta-sts turns MTA-STS off. A withheld one is neither made nor destroyed: a plan that
# would destroy it fails.

data "cloudflare_zone" "mta-sts-zone_example_com" {
  filter = {
    name = "example.com"
  }
}

resource "cloudflare_dns_record" "example_com" {
  zone_id = data.cloudflare_zone.mta-sts-zone_example_com.zone_id
  name    = "example.com"
  type    = "TXT"
  ttl     = 60
  content = "\"a\\\"'\\\\ $${a} $$${b} %%{c} %%%{d} $ % #; //\""
}

resource "cloudflare_dns_record" "_mta-sts_b10_example_com" {
  zone_id = data.cloudflare_zone.mta-sts-zone_example_com.zone_id
  name    = "_mta-sts.b10.example.com"
  type    = "TXT"
  ttl     = 300
  content = "\"v=STSv1; id=0a;\""
}

resource "cloudflare_dns_record" "mta-sts_b10_example_com" {
  zone_id = data.cloudflare_zone.mta-sts-zone_example_com.zone_id
  name    = "mta-sts.b10.example.com"
  type    = "CNAME"
  ttl     = 3600
  content = "policy.example"
  proxied = false
}

# withheld: no certificate\x0a_mta-sts: {type: TXT} */ ${a}
resource "cloudflare_dns_record" "_mta-sts_b9_example_com" {
  count   = 0
  zone_id = data.cloudflare_zone.mta-sts-zone_example_com.zone_id
  name    = "_mta-sts.b9.example.com"
  type    = "TXT"
  ttl     = 300
  content = "\"v=STSv1; id=0a;\""

  lifecycle {
    prevent_destroy = true
  }
}

resource "cloudflare_dns_record" "mta-sts_b9_example_com_192-0-2-1" {
  zone_id = data.cloudflare_zone.mta-sts-zone_example_com.zone_id
  name    = "mta-sts.b9.example.com"
  type    = "A"
  ttl     = 60 # not 0: Cloudflare takes 60 to 86400
  content = "192.0.2.1"
  proxied = false
}

resource "cloudflare_dns_record" "mta-sts_b9_example_com_192-0-2-2" {
  zone_id = data.cloudflare_zone.mta-sts-zone_example_com.zone_id
  name    = "mta-sts.b9.example.com"
  type    = "A"
  ttl     = 60 # not 0: Cloudflare takes 60 to 86400
  content = "192.0.2.2"
  proxied = false
}

resource "cloudflare_dns_record" "mta-sts_b9_example_com_2001-db8--1" {
  zone_id = data.cloudflare_zone.mta-sts-zone_example_com.zone_id
  name    = "mta-sts.b9.example.com"
  type    = "AAAA"
  ttl     = 60 # not 0: Cloudflare takes 60 to 86400
  content = "2001:db8::1"
  proxied = false
}

resource "cloudflare_dns_record" "mta-sts_b9_example_com_1-2-3-4-5-6-7-8" {
  zone_id = data.cloudflare_zone.mta-sts-zone_example_com.zone_id
  name    = "mta-sts.b9.example.com"
  type    = "AAAA"
  ttl     = 60 # not 0: Cloudflare takes 60 to 86400
  content = "1:2:3:4:5:6:7:8"
  proxied = false
}

resource "cloudflare_dns_record" "_smtp__tls_b9_example_com" {
  zone_id = data.cloudflare_zone.mta-sts-zone_example_com.zone_id
  name    = "_smtp._tls.b9.example.com"
  type    = "TXT"
  ttl     = 86400 # not 2147483647: Cloudflare takes 60 to 86400
  content = "\"v=TLSRPTv1; rua=mailto:01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789@e\" \"xample.com,https://r.example/\""
}

data "cloudflare_zone" "mta-sts-zone_sts_example" {
  filter = {
    name = "sts.example"
  }
}

# withheld: no certificate
resource "cloudflare_dns_record" "_mta-sts_example_com_sts_example" {
  count   = 0
  zone_id = data.cloudflare_zone.mta-sts-zone_sts_example.zone_id
  name    = "_mta-sts.example.com.sts.example"
  type    = "TXT"
  ttl     = 60 # not 1: Cloudflare takes 60 to 86400
  content = "\"v=STSv1; id=1b;\""

  lifecycle {
    prevent_destroy = true
  }
}

data "cloudflare_zone" "mta-sts-zone_xn--bcher-kva_example" {
  filter = {
    name = "xn--bcher-kva.example"
  }
}

resource "cloudflare_dns_record" "_mta-sts_xn--bcher-kva_example" {
  zone_id = data.cloudflare_zone.mta-sts-zone_xn--bcher-kva_example.zone_id
  name    = "_mta-sts.xn--bcher-kva.example"
  type    = "CNAME"
  ttl     = 300
  content = "_mta-sts.xn--bcher-kva.example.sts.example"
  proxied = false
}
