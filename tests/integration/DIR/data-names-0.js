site.take("names-0",
[
["example.com", "testing"]
]);
