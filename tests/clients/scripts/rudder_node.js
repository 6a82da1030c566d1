// One customer's story, told by RudderStack's client for Node.
const Analytics = require("@rudderstack/rudder-sdk-node");

const client = new Analytics(process.env.WRITE_KEY, {
  dataPlaneUrl: process.env.ADDRESS, flushAt: 20, flushInterval: 200, gzip: process.env.GZIP !== "0",
  errorHandler: (error) => { console.error(error); process.exitCode = 1; },
});
client.track({ anonymousId: "browser-1", event: "Product Viewed", properties: { product_id: "85048" } });
client.identify({ userId: "u1", anonymousId: "browser-1", traits: { email: "ada@example.com" } });
client.track({
  userId: "u1", event: "Order Completed",
  properties: { order_id: "o1", currency: "GBP", total: 20, products: [{ product_id: "85048", price: 10, quantity: 2 }] },
});
client.page({ userId: "u1", name: "Home" });
client.screen({ userId: "u1", name: "Basket" });
client.group({ userId: "u1", groupId: "firm", traits: { name: "Firm" } });
client.alias({ userId: "u1", previousId: "browser-1" });
for (let n = 0; n < 40; n += 1) client.track({ userId: "u1", event: "Product Added", properties: { product_id: `p${n}` } });
(async () => {
  while (client.queue.length) await client.flush(); // one batch at a time
  await client.flush(); // what is on its way
  process.exit(process.exitCode || 0);
})().catch((error) => { console.error(error); process.exit(1); });
