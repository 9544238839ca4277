// Every statement here is a mistake that the types must find; the test names the line of each.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const api = createClient<paths, "application/json" | "application/problem+json">();

export const noSuchPath = await api.GET("/v1/treatment");
export const noSuchFilter = await api.GET("/v1/treatments", { params: { query: { colour: "red" } } });
export const noSuchValue = await api.GET("/v1/treatments", { params: { query: { kind: ["biological"] } } });
export const noId = await api.GET("/v1/treatments/{id}", { params: {} });

const { data, error } = await api.GET("/v1/treatments");
export const noSuchField = data?.items[0]?.price;
export const mayBeAbsent = data.items;
export const noSuchMember = error?.message;
