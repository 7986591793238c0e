site.take("firsts",
["example.com"]);
