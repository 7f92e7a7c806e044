drop function search_products;
drop policy search on products;
revoke select on products from purser_search;
revoke usage on schema public from purser_search;
drop index products_grams;
drop function product_grams;
