# A record that exists and is not in Terraform's state is refused: import it, by the ID
# <zone id>_<name>_<type>. A withheld one is neither made nor destroyed: a plan that would
# destroy it fails.

data "aws_route53_zone" "mta-sts-zone_example_com" {
  name = "example.com."
}

resource "aws_route53_record" "example_com" {
  zone_id = data.aws_route53_zone.mta-sts-zone_example_com.zone_id
  name    = "example.com"
  type    = "TXT"
  ttl     = 60
  records = ["a\\\"'\\\\ $${a} $$${b} %%{c} %%%{d} $ % #; //"]
}

resource "aws_route53_record" "_mta-sts_b10_example_com" {
  zone_id = data.aws_route53_zone.mta-sts-zone_example_com.zone_id
  name    = "_mta-sts.b10.example.com"
  type    = "TXT"
  ttl     = 300
  records = ["v=STSv1; id=0a;"]
}

resource "aws_route53_record" "mta-sts_b10_example_com" {
  zone_id = data.aws_route53_zone.mta-sts-zone_example_com.zone_id
  name    = "mta-sts.b10.example.com"
  type    = "CNAME"
  ttl     = 3600
  records = ["policy.example"]
}

# withheld: no certificate\x0a_mta-sts: {type: TXT} */ ${a}
resource "aws_route53_record" "_mta-sts_b9_example_com" {
  count   = 0
  zone_id = data.aws_route53_zone.mta-sts-zone_example_com.zone_id
  name    = "_mta-sts.b9.example.com"
  type    = "TXT"
  ttl     = 300
  records = ["v=STSv1; id=0a;"]

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_route53_record" "mta-sts_b9_example_com" {
  zone_id = data.aws_route53_zone.mta-sts-zone_example_com.zone_id
  name    = "mta-sts.b9.example.com"
  type    = "A"
  ttl     = 0
  records = ["192.0.2.1", "192.0.2.2"]
}

resource "aws_route53_record" "mta-sts_b9_example_com_aaaa" {
  zone_id = data.aws_route53_zone.mta-sts-zone_example_com.zone_id
  name    = "mta-sts.b9.example.com"
  type    = "AAAA"
  ttl     = 0
  records = ["2001:DB8:0::1", "1:2:3:4:5:6:7:8"]
}

resource "aws_route53_record" "_smtp__tls_b9_example_com" {
  zone_id = data.aws_route53_zone.mta-sts-zone_example_com.zone_id
  name    = "_smtp._tls.b9.example.com"
  type    = "TXT"
  ttl     = 2147483647
  records = ["v=TLSRPTv1; rua=mailto:01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789@e\"\"xample.com,https://r.example/"]
}

data "aws_route53_zone" "mta-sts-zone_sts_example" {
  name = "sts.example."
}

# withheld: no certificate
resource "aws_route53_record" "_mta-sts_example_com_sts_example" {
  count   = 0
  zone_id = data.aws_route53_zone.mta-sts-zone_sts_example.zone_id
  name    = "_mta-sts.example.com.sts.example"
  type    = "TXT"
  ttl     = 1
  records = ["v=STSv1; id=1b;"]

  lifecycle {
    prevent_destroy = true
  }
}

data "aws_route53_zone" "mta-sts-zone_xn--bcher-kva_example" {
  name = "xn--bcher-kva.example."
}

resource "aws_route53_record" "_mta-sts_xn--bcher-kva_example" {
  zone_id = data.aws_route53_zone.mta-sts-zone_xn--bcher-kva_example.zone_id
  name    = "_mta-sts.xn--bcher-kva.example"
  type    = "CNAME"
  ttl     = 300
  records = ["_mta-sts.xn--bcher-kva.example.sts.example"]
}
