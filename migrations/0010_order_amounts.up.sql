-- Amounts of the order itself, as the caller gave them: [{ "description": "Spring sale", "amount": 500 }], minor units.
alter table orders
  add column discounts jsonb not null default '[]',
  add column shipping jsonb not null default '[]',
  add column taxes jsonb not null default '[]',
  add constraint orders_total_not_negative check (total_amount >= 0);
alter table order_lines add constraint order_lines_total_not_negative check (total_amount >= 0);
